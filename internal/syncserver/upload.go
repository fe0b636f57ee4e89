package syncserver

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// maxUpload bounds an uploaded manifest, in bytes: a few million rows.
const maxUpload = 1 << 30

// uploadPart is one message of an upload: a request, the beginning of a file, or the next bytes of it. R is the request
// that the parts make up.
type uploadPart[R any] interface {
	GetRequest() R
	GetFile() *syncv1.ManifestFile
	GetChunk() []byte
}

// uploaded is a request that a manifest is put into.
type uploaded interface {
	comparable
	GetManifest() []*syncv1.ManifestFile
}

// receive puts the parts of an upload together: the request, and the manifest to put into it.
func receive[P uploadPart[R], R uploaded](recv func() (P, error)) (req R, files []*syncv1.ManifestFile, err error) {
	var none R
	total := 0
	for n := 0; ; n++ {
		part, err := recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return none, nil, err
		}
		head, file, chunk := part.GetRequest(), part.GetFile(), part.GetChunk()
		switch {
		case n == 0 && head == none:
			return none, nil, invalid("request", "required: the first message carries it")
		case n == 0:
			req, files = head, head.GetManifest()
		case head != none:
			return none, nil, invalid("request", "message %d: only the first one carries it", n+1)
		case file != nil:
			files = append(files, &syncv1.ManifestFile{Name: file.GetName(), MediaType: file.GetMediaType(), Encoding: file.GetEncoding(), Content: file.GetContent()})
			chunk = file.GetContent()
		case len(files) == 0:
			return none, nil, invalid("chunk", "message %d: no file was begun", n+1)
		default:
			last := files[len(files)-1]
			last.Content = append(last.Content, chunk...)
		}
		if total += len(chunk); total > maxUpload {
			return none, nil, detailed(codes.InvalidArgument, fmt.Sprintf("upload: more than %d bytes", maxUpload),
				&errdetails.ErrorInfo{Reason: "UPLOAD_TOO_LARGE", Domain: domain}).Err()
		}
	}
	if req == none {
		return none, nil, invalid("request", "required: the first message carries it")
	}
	return req, files, nil
}
