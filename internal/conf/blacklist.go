package conf

import (
	"cmp"
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// patternReasons are glibc's words for what is wrong with an expression, by Go's reason.
var patternReasons = map[syntax.ErrorCode]string{
	syntax.ErrInvalidCharRange:      "Invalid range end",
	syntax.ErrMissingBracket:        "Unmatched [, [^, [:, [., or [=",
	syntax.ErrMissingParen:          `Unmatched ( or \(`,
	syntax.ErrUnexpectedParen:       `Unmatched ) or \)`,
	syntax.ErrMissingRepeatArgument: "Invalid preceding regular expression",
	syntax.ErrInvalidRepeatSize:     "Regular expression too big",
	syntax.ErrTrailingBackslash:     "Trailing backslash",
}

// otherMeaning finds what glibc and Go both take, and each as something else: a word's ends, the ends of the text, and names of
// characters in brackets. A queue must not start with an expression that hides other topics than was meant.
var otherMeaning = regexp.MustCompile("\\\\[<>`']|\\[[^\\]]*\\[[.=]")

// A comma ends an item, so a count is always {n}; Go takes any other brace for a character.
var (
	openBrace  = regexp.MustCompile(`(^|[^\\])\{[0-9]*$`)
	wrongCount = regexp.MustCompile(`(^|[^\\])\{([0-9]*[^0-9}]|\})`)
)

// parsePatterns splits a list at its commas and compiles each item. When one is not an expression
// it returns that item and the reason, in the C library's words, as librdkafka does.
//
// Compat: the items are compiled by Go's regexp.CompilePOSIX and not by the C library, which has extensions that Go refuses. See
// docs/compatibility.md.
//
// Compat: librdkafka means two commas to stand for one that belongs to the expression, but splits
// at the first of them, so an empty item follows, and that matches every topic. So it is here.
func parsePatterns(list string) (patterns []*regexp.Regexp, bad, reason string) {
	for list != "" {
		item, rest, _ := strings.Cut(list, ",")
		p, why := compilePattern(item)
		if why != "" {
			return nil, item, why
		}
		patterns = append(patterns, p)
		list = rest
	}
	return patterns, "", ""
}

// compilePattern compiles one item; reason is empty when it is an expression.
func compilePattern(text string) (p *regexp.Regexp, reason string) {
	p, err := regexp.CompilePOSIX(text)
	var wrong *syntax.Error
	switch {
	case errors.As(err, &wrong):
		return nil, patternReason(wrong)
	case openBrace.MatchString(text):
		return nil, `Unmatched \{`
	case wrongCount.MatchString(text):
		return nil, `Invalid content of \{\}`
	case otherMeaning.MatchString(text):
		return nil, "Invalid regular expression"
	}
	return p, ""
}

func patternReason(wrong *syntax.Error) string {
	switch {
	case wrong.Code == syntax.ErrMissingBracket && (wrong.Expr == "[" || wrong.Expr == "[^"):
		return "Invalid regular expression"
	case wrong.Code == syntax.ErrInvalidCharRange && strings.HasPrefix(wrong.Expr, "[:"):
		return "Invalid character class name"
	}
	return cmp.Or(patternReasons[wrong.Code], "Invalid regular expression")
}
