package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// packages hold the proofs; each test binary is built once.
var packages = []string{"internal/sync", "internal/sync/rainbow", "internal/manifest"}

// The proofs that are not counted in cases, or not drawn as quickly as the others.
const (
	stormProof = "TestInADrawnStormTheEndIsTheSame"
	killProof  = "TestARunKilledAnywhereResumesToTheSameEnd"
)

// findProofs lists the properties of the packages, and the kills, and builds the test binaries.
func findProofs(ctx context.Context, opts options) ([]*proof, error) {
	var proofs []*proof
	for _, folder := range packages {
		names, err := propertiesIn(folder)
		if err != nil {
			return nil, err
		}
		if folder == "internal/sync/rainbow" && opts.kills {
			names = append(names, killProof)
		}
		binary := ""
		for _, name := range names {
			if !opts.only.MatchString(name) {
				continue
			}
			if binary == "" {
				binary = filepath.Join(opts.folder, strings.ReplaceAll(folder, "/", "-")+".test")
				build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, "./"+folder)
				build.Stderr = os.Stderr
				if err := build.Run(); err != nil {
					return nil, fmt.Errorf("tests of %s: %w", folder, err)
				}
			}
			proofs = append(proofs, &proof{name: name, folder: folder, binary: binary})
		}
	}
	if len(proofs) == 0 {
		return nil, errors.New("no proof matches; it is run at the root of the repository")
	}
	return proofs, nil
}

// propertiesIn lists the tests of a package that call rapid.Check.
func propertiesIn(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") && f.Recv == nil && checks(f.Body) {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names, nil
}

// checks tells whether a body calls rapid.Check.
func checks(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if call, ok := n.(*ast.SelectorExpr); ok && call.Sel.Name == "Check" {
			if x, ok := call.X.(*ast.Ident); ok && x.Name == "rapid" {
				found = true
			}
		}
		return !found
	})
	return found
}
