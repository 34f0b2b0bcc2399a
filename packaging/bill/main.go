// Command bill prints the bill of materials of a package as CycloneDX JSON: what its programs were linked from, by
// what Go's linker wrote into each.
//
// cyclonedx-gomod makes one bill a program and joins none; a package has one bill.
package main

import (
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// component is CycloneDX's, of which a bill needs these.
type component struct {
	Type       string      `json:"type"`
	Ref        string      `json:"bom-ref"`
	Name       string      `json:"name"`
	Version    string      `json:"version"`
	Purl       string      `json:"purl,omitempty"`
	Components []component `json:"components,omitempty"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     any          `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

func main() {
	name := flag.String("name", "", "the name of the package")
	version := flag.String("version", "", "its version")
	compiler := flag.String("zig", "", "the version of zig, whose compiler-rt is in what C is linked into")
	flag.Parse()
	if err := write(*name, *version, *compiler, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bill:", err)
		os.Exit(1)
	}
}

func write(name, version, compiler string, programs []string) error {
	whole := component{Type: "application", Ref: name, Name: name, Version: version}
	parts := make(map[string]component)
	var dependencies []dependency
	for _, file := range programs {
		info, err := buildinfo.ReadFile(file)
		if err != nil {
			return err
		}
		program := component{Type: "application", Ref: filepath.Base(file), Name: filepath.Base(file), Version: version}
		needs := []component{library("std", strings.TrimPrefix(info.GoVersion, "go"), "golang")}
		if slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "CGO_ENABLED" && s.Value == "1" }) {
			program.Type = "library"
			needs = append(needs, library("ziglang", compiler, "pypi"))
		}
		for _, d := range info.Deps {
			if d.Replace != nil {
				d = d.Replace
			}
			needs = append(needs, library(d.Path, d.Version, "golang"))
		}
		on := dependency{Ref: program.Ref}
		for _, c := range needs {
			parts[c.Ref] = c
			on.DependsOn = append(on.DependsOn, c.Ref)
		}
		whole.Components = append(whole.Components, program)
		dependencies = append(dependencies, on)
	}
	b := bill{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: map[string]component{"component": whole}, Dependencies: dependencies}
	for _, c := range parts {
		b.Components = append(b.Components, c)
	}
	slices.SortFunc(b.Components, func(a, b component) int { return strings.Compare(a.Ref, b.Ref) })
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(b)
}

// library is a component by its package URL, which is unique.
func library(name, version, registry string) component {
	purl := "pkg:" + registry + "/" + name + "@" + version
	return component{Type: "library", Ref: purl, Name: name, Version: version, Purl: purl}
}
