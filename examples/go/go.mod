// A client of Rainbow Gateway, in a module of its own as a client is.
module github.com/rainbow-gateway/rainbow-gateway/examples/go

go 1.26.0

require (
	github.com/rainbow-gateway/rainbow-gateway v0.0.0
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261019180522-ce908d29299b
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go v1.36.12-20260825204119-511051f7f437.1 // indirect
	cloud.google.com/go/longrunning v1.5.0 // indirect
	github.com/grpc-ecosystem/grpc-gateway/v2 v2.32.0 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20261019180522-ce908d29299b // indirect
)

// Here the gateway is what stands around this folder; in your own module leave this line out and require a release.
replace github.com/rainbow-gateway/rainbow-gateway => ../..
