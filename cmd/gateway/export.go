package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

type exportCmd struct {
	engineFlags
	Output  string `short:"o" default:"csv" enum:"csv,yaml" help:"csv, in the mode, or yaml: the whole company."`
	Mode    string `default:"rainbowvoice" enum:"rainbowvoice,useranddevice,user,device" help:"rainbowvoice, useranddevice, user or device."`
	Refresh bool   `help:"Record what Rainbow holds now before exporting."`
	To      string `placeholder:"FILE" help:"Write to this file instead of standard output; it must not exist."`
}

// Help is shown below the usage of the verb.
func (exportCmd) Help() string {
	return `Writes the recorded state as a manifest in Rainbow's CSV: planned again, it changes nothing. Passwords are not in it. Cells that a
spreadsheet would run as formulas are neutralised. Mode rainbowvoice has users with their Cloud PBX extensions, devices and DDIs,
useranddevice users with their extensions of equipped PBXs, user the users alone, device those extensions alone.

With -o yaml it writes the whole company as YAML: all devices and public numbers, users with all that they have, and what is
recorded of settings, options and programmable keys.

Examples:
  gateway export > company.csv
  gateway export -o yaml --to company.yaml`
}

// Run exports.
func (c *exportCmd) Run(ctx context.Context, t *terminal) (err error) {
	if c.To != "" {
		if _, err := os.Lstat(c.To); err == nil {
			return fmt.Errorf("export: %s exists already: name another file, or remove it first", c.To)
		}
	}
	s, err := c.open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if c.Refresh {
		if _, err := s.refresh(ctx, t); err != nil {
			return err
		}
	}
	if c.Output == "yaml" {
		c.Mode = "yaml"
	}
	stream, err := s.states.DownloadManifest(ctx, &syncv1.ExportManifestRequest{Name: s.company + "/state", Mode: c.Mode})
	if err != nil {
		return err
	}
	if c.To == "" {
		return copyBody(t.stdout, stream)
	}
	return writeNew(c.To, func(w io.Writer) error { return copyBody(w, stream) })
}

// writeNew writes a file that must not exist yet; when that fails, no half of it stays.
func writeNew(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
