package main

import (
	"errors"
	"io"
	"slices"

	"google.golang.org/grpc"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// uploadChunk is how much of a manifest goes in one message.
const uploadChunk = 256 << 10

// envelope is how one upload's messages are made: the request, the head of a file, a piece of its content.
type envelope[Part any] struct {
	request *Part
	file    func(*syncv1.ManifestFile) *Part
	chunk   func([]byte) *Part
}

// upload sends a request with its manifest and takes the answer. A server that refuses early ends the stream; its reason
// is the answer.
func upload[Part, Answer any](stream grpc.ClientStreamingClient[Part, Answer], files []*syncv1.ManifestFile, e envelope[Part]) (*Answer, error) {
	err := stream.Send(e.request)
	for _, file := range files {
		if err == nil {
			err = stream.Send(e.file(&syncv1.ManifestFile{Name: file.GetName(), Encoding: file.GetEncoding()}))
		}
		for piece := range slices.Chunk(file.GetContent(), uploadChunk) {
			if err == nil {
				err = stream.Send(e.chunk(piece))
			}
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return stream.CloseAndRecv()
}
