package main

import (
	"bytes"
	"encoding/json"
	"io"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// outputFlag chooses between words for people and the resource as the REST door shows it.
type outputFlag struct {
	Output string `short:"o" default:"text" enum:"text,json" help:"text or json."`
}

// writeJSON writes a resource as JSON. It is indented here, since protojson varies its blanks from build to build.
func writeJSON(w io.Writer, m proto.Message) error {
	b, err := protojson.Marshal(m)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = out.WriteTo(w)
	return err
}
