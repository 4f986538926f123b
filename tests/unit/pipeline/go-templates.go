// SPDX-License-Identifier: MIT

// Go's own answers to the templates of go-templates.json, written anew:
//
//	go run tests/unit/pipeline/go-templates.go tests/unit/pipeline/go-templates.json
//
// Only needed when templates are added (with `null` as their answer); the test reads what is recorded.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"text/template"
)

type recording struct {
	Go     string         `json:"go"`
	Values map[string]any `json:"values"`
	Cases  [][2]*string   `json:"cases"` // a template, and what it prints; null where it is refused
}

func answer(text string, values map[string]any) *string {
	parsed, err := template.New("t").Option("missingkey=error").Parse(text)
	if err != nil {
		return nil
	}
	var out strings.Builder
	if err := parsed.Execute(&out, values); err != nil {
		return nil
	}
	printed := out.String()
	return &printed
}

func main() {
	path := os.Args[1]
	data, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var read recording
	if err := json.Unmarshal(data, &read); err != nil {
		panic(err)
	}
	for name, value := range read.Values {
		if number, ok := value.(float64); ok {
			read.Values[name] = int(number)
		}
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	write := func(value any) {
		if err := encoder.Encode(value); err != nil {
			panic(err)
		}
	}
	out.WriteString("{\"go\": ")
	write(runtime.Version())
	out.WriteString(",\"values\": ")
	write(read.Values)
	out.WriteString(",\"cases\": [\n")
	for index, each := range read.Cases {
		if index > 0 {
			out.WriteString(",")
		}
		write([2]*string{each[0], answer(*each[0], read.Values)})
	}
	out.WriteString("]}\n")
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		panic(err)
	}
}
