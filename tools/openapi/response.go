package main

import (
	"fmt"
	"strings"
)

// responses are the refusals that operations share: Rainbow's envelope below /api/rainbow/, google.rpc.Status for the
// gateway's own services.
func (f *finisher) responses() *object {
	var strangers, refused, failed []sample
	for _, s := range f.errors {
		switch code := fmt.Sprint(s.value.get("errorCode")); {
		case code == "401":
			strangers = append(strangers, s)
		case strings.HasPrefix(code, "5"):
			failed = append(failed, s)
		default:
			refused = append(refused, s)
		}
	}
	return pairs(
		"RainbowUnauthorized", refusal("No credentials, or not good ones, in Rainbow's envelope.", rainbowError, strangers),
		"RainbowRefused", refusal("Refused, by Rainbow or by the gateway, in Rainbow's envelope.", rainbowError, refused),
		"RainbowFailed", refusal("Failed, or Rainbow could not be reached, in Rainbow's envelope.", rainbowError, failed),
		"Forbidden", refusal("Not a program of the gateway's machine, or one with credentials of its own.", plainStatus, nil),
		"Refused", refusal("Refused by the gateway.", plainStatus, nil),
		"Failed", refusal("Failed in the gateway or behind it.", plainStatus, nil),
	)
}

func refusal(description, schema string, samples []sample) *object {
	text := func(description string) *object {
		return pairs("description", description, "schema", pairs("type", "string"))
	}
	return pairs(
		"description", description,
		"headers", pairs(
			"Retry-After", pairs("description", "Seconds to wait, with 429 and 503.", "schema", pairs("type", "integer", "format", "int32")),
			"X-Error-Origin", pairs("description", "Who refused.",
				"schema", pairs("type", "string", "enum", []any{"upstream", "gateway"})),
			"X-Request-Id", text("Id of the call, also in the gateway's log."),
		),
		"content", pairs(jsonType, withSamples(pairs("schema", pairs("$ref", schemaPrefix+schema)), samples)),
	)
}

// securitySchemes are those of securityDefinitions, in the words of 3.1.
func securitySchemes() *object {
	schemes := securityDefinitions()
	schemes.set(schemeBearer, pairs("type", "http", "scheme", "bearer", "bearerFormat", "JWT", "description", bearerText))
	basic := schemes.object(schemeBasic)
	schemes.set(schemeBasic, pairs("type", "http", "scheme", "basic", "description", basic.get("description")))
	return schemes
}
