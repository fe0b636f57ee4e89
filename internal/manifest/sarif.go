package manifest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// errorsPage is where the faults' codes are explained.
const errorsPage = "https://github.com/rainbow-gateway/rainbow-gateway/blob/main/docs/errors.md"

// planFaults is the part of that page on the codes of the planner, which have no headings of their own.
const planFaults = "faults-in-view-of-the-company"

// yamlFaults is the part on the codes of YAML manifests.
const yamlFaults = "faults-of-a-yaml-manifest"

// headed are the codes that have a heading of their own on that page, in order (a test compares).
var headed = []string{
	"action-not-in-mode", "ambiguous-mode", "bad-choice", "bad-country", "bad-e164-number", "bad-email", "bad-language",
	"bad-login", "bad-mac-address", "bad-password", "bad-quote", "bad-short-number", "bad-timezone", "bad-url", "cell-count",
	"column-not-in-mode", "column-number", "comment-in-cell", "control-character", "duplicate-column", "duplicate-ddi",
	"duplicate-login", "duplicate-mac-address", "duplicate-pairing", "duplicate-short-number", "export-column",
	"export-licence", "export-login", "export-several", "export-value", "incomplete-pairing", "line-break-in-cell",
	"lost-character", "missing-action", "missing-column", "missing-header", "missing-login", "mixed-modes", "not-csv",
	"not-utf8", "nothing-to-detach", "row-too-long", "spreadsheet-damage", "too-many-faults", "unclosed-quote",
	"unknown-action", "unknown-column", "unknown-mode", "unnamed-column", "value-too-long",
}

// WriteSARIF writes faults in the Static Analysis Results Interchange Format, version 2.1.0 (OASIS), which editors and
// code hosts show beside the lines: faults as errors, remarks as notes. Version is the gateway's own.
func WriteSARIF(w io.Writer, faults, remarks bulksync.Faults, version string) error {
	errors := len(faults)
	faults = slices.Concat(faults, remarks)
	log := sarifLog{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0",
		Runs: []sarifRun{{
			Tool: sarifTool{sarifDriver{
				Name: "rainbow-gateway", Version: version, InformationURI: "https://github.com/rainbow-gateway/rainbow-gateway", Rules: sarifRules(faults),
			}},
			ColumnKind: "unicodeCodePoints", Results: make([]sarifResult, len(faults)),
		}},
	}
	rules := log.Runs[0].Tool.Driver.Rules
	for i, f := range faults {
		rule, _ := slices.BinarySearchFunc(rules, f.Code, func(r sarifRule, code string) int { return cmp.Compare(r.ID, code) })
		text := f.Message
		if f.Hint != "" {
			text += "; " + f.Hint
		}
		level := "error"
		if i >= errors {
			level = "note"
		}
		log.Runs[0].Results[i] = sarifResult{RuleID: f.Code, RuleIndex: rule, Level: level, Message: sarifText{text}, Locations: sarifLocations(f)}
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(log); err != nil {
		return fmt.Errorf("sarif: %w", err)
	}
	return nil
}

// sarifRules are the codes that occur, in order.
func sarifRules(faults bulksync.Faults) []sarifRule {
	rules := []sarifRule{}
	for _, f := range faults {
		i, found := slices.BinarySearchFunc(rules, f.Code, func(r sarifRule, code string) int { return cmp.Compare(r.ID, code) })
		if found {
			continue
		}
		anchor := f.Code
		if slices.Contains(yamlCodes, f.Code) {
			anchor = yamlFaults
		} else if _, own := slices.BinarySearch(headed, f.Code); !own {
			anchor = planFaults
		}
		rules = slices.Insert(rules, i, sarifRule{
			ID: f.Code, ShortDescription: sarifText{strings.ReplaceAll(f.Code, "-", " ")}, HelpURI: errorsPage + "#" + anchor,
		})
	}
	return rules
}

// sarifLocations is the place of a fault; a fault of the manifest as a whole has none.
func sarifLocations(f bulksync.Fault) []sarifLocation {
	if f.Position.File == "" {
		return nil
	}
	place := sarifPlace{ArtifactLocation: sarifArtifact{(&url.URL{Path: f.Position.File}).String()}}
	if f.Position.Line > 0 {
		place.Region = &sarifRegion{StartLine: f.Position.Line, StartColumn: f.Position.Column}
	}
	location := sarifLocation{PhysicalLocation: place}
	if f.Field != "" {
		location.LogicalLocations = []sarifLogical{{Name: f.Field, Kind: "member"}}
	}
	return []sarifLocation{location}
}

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool       sarifTool     `json:"tool"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	ShortDescription sarifText `json:"shortDescription"`
	HelpURI          string    `json:"helpUri"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID    string          `json:"ruleId"`
	RuleIndex int             `json:"ruleIndex"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations,omitempty"`
}

type sarifLocation struct {
	PhysicalLocation sarifPlace     `json:"physicalLocation"`
	LogicalLocations []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPlace struct {
	ArtifactLocation sarifArtifact `json:"artifactLocation"`
	Region           *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}
