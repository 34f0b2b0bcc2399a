package packaging

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// mdLink is the target of a link or a picture in Markdown.
var mdLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// testPages follows each link of each installed page: what it names must be installed too, and a heading must be there.
func testPages(t *testing.T, deb string) {
	files := debFiles(t, deb)
	links := 0
	for name, file := range files {
		if !strings.HasSuffix(name, ".md") {
			continue
		}
		for _, match := range mdLink.FindAllSubmatch(file.content, -1) {
			target, heading, _ := strings.Cut(string(match[1]), "#")
			if strings.Contains(target, "://") {
				continue
			}
			links++
			page := name
			if target != "" {
				page = path.Join(path.Dir(name), target)
			}
			there, ok := files[page]
			if !ok {
				t.Errorf("%s has a link to %s, which is not installed", name, match[1])
				continue
			}
			if heading != "" && !hasHeading(string(there.content), heading) {
				t.Errorf("%s has a link to %s, and there is no such heading", name, match[1])
			}
		}
	}
	if links < 10 {
		t.Errorf("the pages have %d links: they are not read as they are written any more", links)
	}
}

// hasHeading looks for a heading by the name that links give it: lower case, words joined, other signs left out.
func hasHeading(page, name string) bool {
	for line := range strings.Lines(page) {
		text := strings.TrimLeft(line, "#")
		if text == line {
			continue
		}
		text = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(text)), " ", "-")
		if regexp.MustCompile(`[^\w-]`).ReplaceAllString(text, "") == name {
			return true
		}
	}
	return false
}
