package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

type validateCmd struct {
	Manifest manifestFlags `embed:""`
	Output   string        `short:"o" default:"text" enum:"text,json,sarif" help:"text, json, or sarif (2.1.0), which editors and code hosts show beside the lines."`
}

// Help is shown below the usage of the verb.
func (validateCmd) Help() string {
	return `Reads the manifest and reports every fault at once, each with file:line:column, a code (docs/errors.md explains it) and what
would be right; of a manifest without fault it tells what is remarkable. It needs no network and no state; "gateway plan" checks the rest. Exit code 0: no fault, 1: faults.

Examples:
  gateway validate -f samples/rainbowvoice.csv
  gateway validate -f staff.csv --encoding windows-1252
  gateway validate -f staff.csv -o sarif > faults.sarif`
}

// validation is the JSON form of the answer.
type validation struct {
	Valid bool   `json:"valid"`
	Mode  string `json:"mode,omitempty"`
	Users int    `json:"users"`
	// Devices and DDIs count what the company shall have, whoever holds it, as only YAML says it; ranges are counted out.
	Devices int             `json:"devices,omitempty"`
	DDIs    int             `json:"ddis,omitempty"`
	Digest  string          `json:"digest,omitempty"`
	Faults  bulksync.Faults `json:"faults"`
	// Remarks are about a manifest without fault.
	Remarks bulksync.Faults `json:"remarks,omitempty"`
}

// Run validates in this process; it needs nothing but the manifest.
func (c *validateCmd) Run(ctx context.Context, t *terminal) error {
	sources, err := c.Manifest.sources(t.stdin)
	if err != nil {
		return err
	}
	options, err := c.Manifest.options(false)
	if err != nil {
		return err
	}
	desired, _, err := manifest.Read(ctx, sources, options)
	answer := validation{Valid: err == nil, Faults: bulksync.Faults{}}
	if err != nil && !errors.As(err, &answer.Faults) {
		return err
	}
	if desired != nil {
		answer.Mode, answer.Users, answer.Digest = desired.Mode, desired.Users.Len(), desired.Digest
		answer.Devices, answer.DDIs = len(desired.Devices), len(desired.DDIs)
		answer.Remarks = desired.Remarks
	}
	if err := c.show(t, answer); err != nil {
		return err
	}
	if !answer.Valid {
		return exitError
	}
	return nil
}

func (c *validateCmd) show(t *terminal, answer validation) error {
	switch c.Output {
	case "sarif":
		return manifest.WriteSARIF(t.stdout, answer.Faults, answer.Remarks, version)
	case "json":
		enc := json.NewEncoder(t.stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(answer)
	}
	if answer.Valid {
		for _, r := range answer.Remarks {
			fmt.Fprintln(t.stdout, "note:", r)
		}
		_, err := fmt.Fprintf(t.stdout, "%s: %s, mode %s, no fault.\n", c.Manifest.names(), answer.counts(), answer.Mode)
		return err
	}
	for _, f := range answer.Faults {
		fmt.Fprintln(t.stdout, f)
	}
	_, err := fmt.Fprintf(t.stderr, "gateway: %s: %s\n", c.Manifest.names(), plural(len(answer.Faults), "fault"))
	return err
}

// counts says what the manifest speaks of, in words.
func (v validation) counts() string {
	words := plural(v.Users, "user")
	if v.Devices > 0 {
		words += ", " + plural(v.Devices, "device")
	}
	if v.DDIs > 0 {
		words += ", " + plural(v.DDIs, "DDI")
	}
	return words
}

// plural counts things: "1 user", "2 users".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
