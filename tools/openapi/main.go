// Command openapi finishes the OpenAPI document that protoc-gen-openapiv2 made: it says what the gateway really does
// where the plugin can only guess from the messages.
//
//   - extra_json is how gRPC carries members without a field; in JSON they are simply there: additionalProperties.
//   - Bodies and answers that are not JSON get their media types, as the options of the RPC say.
//   - Errors below /api/rainbow/ have Rainbow's envelope; only the gateway's own services answer google.rpc.Status.
//   - Operation ids are unique over all portals, and each operation says its source, its roles and whether repeating
//     it is harmless (x-rainbow-source, x-rainbow-roles, x-rainbow-idempotent).
//
// Usage: openapi -image FILE -document FILE
//
// The image is what `buf build` writes for the same protos.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	image := flag.String("image", "", "buf image of the protos")
	document := flag.String("document", "", "OpenAPI document, changed in place")
	flag.Parse()
	if err := run(*image, *document); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run(image, document string) error {
	b, err := os.ReadFile(image)
	if err != nil {
		return err
	}
	rpcs, err := readRPCs(b)
	if err != nil {
		return fmt.Errorf("image %s: %w", image, err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	text, err = finish(text, rpcs)
	if err != nil {
		return fmt.Errorf("document %s: %w", document, err)
	}
	return os.WriteFile(document, text, 0o644)
}
