// Command openapilint judges the OpenAPI documents: 2.0 by its specification, 3.1 by its specification and by the linter's
// rules, all of which count except those that the ruleset switches off with a reason.
//
//	go run -C tools/openapilint . -rules ruleset.yaml FILE…
//
// A finding of any severity fails.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/go-openapi/loads"
	"github.com/go-openapi/strfmt"
	"github.com/go-openapi/validate"
	"github.com/speakeasy-api/openapi/linter"
	"github.com/speakeasy-api/openapi/openapi"
	rules "github.com/speakeasy-api/openapi/openapi/linter"
)

func main() {
	ruleset := flag.String("rules", "ruleset.yaml", "rules that are off, with reasons")
	flag.Parse()
	if err := run(context.Background(), *ruleset, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "openapilint:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, ruleset string, documents []string) error {
	if len(documents) == 0 {
		return errors.New("document: none given")
	}
	config, err := linter.LoadConfigFromFile(ruleset)
	if err != nil {
		return fmt.Errorf("ruleset %s: %w", ruleset, err)
	}
	var failed []error
	for _, path := range documents {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		findings, err := judge(ctx, config, path, text)
		if err != nil {
			return fmt.Errorf("document %s: %w", path, err)
		}
		for _, finding := range findings {
			failed = append(failed, fmt.Errorf("%s: %w", path, finding))
		}
	}
	return errors.Join(failed...)
}

// judge returns what is wrong with a document; the error is for one that can't be read at all.
func judge(ctx context.Context, config *linter.Config, path string, text []byte) ([]error, error) {
	if bytes.Contains(text[:min(len(text), 100)], []byte(`"swagger"`)) {
		return judgeSwagger(text)
	}
	document, invalid, err := openapi.Unmarshal(ctx, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	l, err := rules.NewLinter(config)
	if err != nil {
		return nil, err
	}
	output, err := l.Lint(ctx, linter.NewDocumentInfo(document, path), invalid, nil)
	if err != nil {
		return nil, err
	}
	return output.Results, nil
}

// judgeSwagger validates a Swagger 2.0 document by its schema and the rules that the schema can't say.
func judgeSwagger(text []byte) ([]error, error) {
	document, err := loads.Analyzed(text, "2.0")
	if err != nil {
		return nil, err
	}
	wrong, doubtful := validate.NewSpecValidator(document.Schema(), strfmt.Default).Validate(document)
	return append(wrong.Errors, doubtful.Warnings...), nil
}
