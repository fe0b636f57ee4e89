package syncserver

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"slices"
	"unicode/utf8"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/manifest"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// mostFaults is how many faults of a manifest are found one by one.
const mostFaults = 10_000

// manifestRequest is what the requests that bring a manifest have in common.
type manifestRequest interface {
	GetManifest() []*syncv1.ManifestFile
	GetDelimiter() string
	GetComment() string
	GetVariables() map[string]string
}

// secretRequest is a request that brings the secrets that a manifest names by reference.
type secretRequest interface {
	GetSecrets() map[string]string
}

// manifest checks the manifest fields of a request and gives what they ask for.
func (v *violations) manifest(req manifestRequest) ([]manifest.Source, manifest.Options) {
	opts := manifest.Options{
		Delimiter: v.rune("delimiter", req.GetDelimiter()),
		Comment:   v.rune("comment", req.GetComment()),
		Variables: req.GetVariables(),
		MaxFaults: mostFaults,
	}
	if with, ok := req.(secretRequest); ok {
		opts.Secret = func(reference string) (string, error) {
			if secret, ok := with.GetSecrets()[reference]; ok {
				return secret, nil
			}
			return "", errors.New("it was not sent along")
		}
	}
	v.separators(opts)
	var sources []manifest.Source
	var names []string
	for i, file := range req.GetManifest() {
		field := fmt.Sprintf("manifest[%d]", i)
		name := file.GetName()
		switch {
		case name == "" && i == 0:
			name = "manifest"
		case name == "":
			name = fmt.Sprintf("manifest%d", i+1)
		case len(name) > 255 || !utf8.ValidString(name):
			v.add(field+".name", "%s: want at most 255 bytes of UTF-8", quoted(name))
		}
		if slices.Contains(names, name) {
			v.add(field+".name", "%s comes twice", quoted(name))
		}
		names = append(names, name)
		v.oneOf(field+".encoding", file.GetEncoding(), manifest.Encodings())
		sources = append(sources, manifest.Source{
			Name: name, ContentType: v.mediaType(field+".media_type", file.GetMediaType()), Encoding: manifest.Encoding(file.GetEncoding()),
			Content: file.GetContent(),
		})
	}
	return sources, opts
}

// separators checks the characters that cells and comments are told by.
func (v *violations) separators(opts manifest.Options) {
	if opts.Delimiter != 0 && !slices.Contains([]rune{';', ',', '\t', '|'}, opts.Delimiter) {
		v.add("delimiter", `%q: want ";", ",", a tab or "|"`, opts.Delimiter)
	}
	if c := opts.Comment; c != 0 && (c == opts.Delimiter || c == '"' || c == '\n' || c == '\r') {
		v.add("comment", "%q: want a character that is no delimiter, quote or line end", c)
	}
}

// mediaType checks a media type and gives it without parameters.
func (v *violations) mediaType(field, value string) string {
	if value == "" {
		return ""
	}
	media, _, err := mime.ParseMediaType(value)
	if err != nil {
		v.add(field, "%s: not a media type", quoted(value))
	}
	return media
}

// someFile checks that there is a manifest at all.
func (v *violations) someFile(files []*syncv1.ManifestFile) {
	if len(files) == 0 {
		v.add("manifest", "required: at least one file")
	}
}

// faultsOf gives the faults of a manifest, or nil when err is something else.
func faultsOf(err error) bulksync.Faults {
	var faults bulksync.Faults
	errors.As(err, &faults)
	return faults
}

// secretsFor reads the manifest that comes with an apply or a resume for its secrets alone. It must be the one that the
// plan was made from. No manifest gives no secrets.
func secretsFor(ctx context.Context, plan *bulksync.StoredPlan, sources []manifest.Source, opts manifest.Options) (bulksync.Secrets, error) {
	if plan.Plan.Undoes != "" {
		return bulksync.NewPasswords(), nil
	}
	if len(sources) == 0 {
		return nil, nil
	}
	opts.Mode = plan.Plan.Mode
	desired, secrets, err := manifest.Read(ctx, sources, opts)
	if faults := faultsOf(err); faults != nil {
		return nil, manifestError{faults: faults}
	}
	if err != nil {
		return nil, err
	}
	if desired.Digest != plan.Plan.Manifest {
		return nil, refusal{
			reason: "OTHER_MANIFEST", subject: planName(plan.Plan.Company, plan.Name),
			text: fmt.Sprintf("the manifest is not the one that plan %s was made from (digest %s, want %s; passwords do not count): "+
				"send that one, or make a new plan", plan.Name, short(desired.Digest), short(plan.Plan.Manifest)),
		}
	}
	return secrets, nil
}

// short is the beginning of a digest, as people compare them.
func short(digest string) string { return digest[:min(12, len(digest))] }
