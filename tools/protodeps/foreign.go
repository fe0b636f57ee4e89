package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	_ "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	_ "cloud.google.com/go/longrunning/autogen/longrunningpb"
	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	_ "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-openapiv2/options"
	"github.com/jhump/protoreflect/desc"
	"github.com/jhump/protoreflect/desc/protoprint"
	_ "google.golang.org/genproto/googleapis/api/annotations"
	_ "google.golang.org/genproto/googleapis/api/httpbody"
	_ "google.golang.org/genproto/googleapis/api/visibility"
	_ "google.golang.org/genproto/googleapis/rpc/code"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails"
	_ "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// roots are the files that proto/ may import; what they import comes along.
var roots = [...]string{
	"buf/validate/validate.proto",
	"google/api/annotations.proto",
	"google/api/field_behavior.proto",
	"google/api/httpbody.proto",
	"google/api/resource.proto",
	"google/api/visibility.proto",
	"google/longrunning/operations.proto",
	"google/rpc/code.proto",
	"google/rpc/error_details.proto",
	"google/rpc/status.proto",
	"protoc-gen-openapiv2/options/annotations.proto",
}

// shipped are the files that their Go module holds as source, comments and all: module by folder of the import path.
var shipped = map[string]string{
	"protoc-gen-openapiv2/": "github.com/grpc-ecosystem/grpc-gateway/v2",
}

// foreign returns the text of every root and of what it imports, by import path, except google/protobuf/*, which
// every compiler brings.
func foreign(ctx context.Context) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, root := range roots {
		file, err := protoregistry.GlobalFiles.FindFileByPath(root)
		if err != nil {
			return nil, fmt.Errorf("file %q: %w", root, err)
		}
		if err := collect(ctx, file, files); err != nil {
			return nil, err
		}
	}
	return files, verify(ctx, files)
}

func collect(ctx context.Context, file protoreflect.FileDescriptor, files map[string][]byte) error {
	path := file.Path()
	if files[path] != nil || strings.HasPrefix(path, "google/protobuf/") {
		return nil
	}
	text, err := source(ctx, file)
	if err != nil {
		return fmt.Errorf("file %q: %w", path, err)
	}
	files[path] = text
	imports := file.Imports()
	for i := range imports.Len() {
		if err := collect(ctx, imports.Get(i).FileDescriptor, files); err != nil {
			return err
		}
	}
	return nil
}

// source returns the file as its module ships it, else as printed from its descriptor.
func source(ctx context.Context, file protoreflect.FileDescriptor) ([]byte, error) {
	for folder, module := range shipped {
		if strings.HasPrefix(file.Path(), folder) {
			dir, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
			if err != nil {
				return nil, fmt.Errorf("module %s: %w", module, err)
			}
			return os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), filepath.FromSlash(file.Path())))
		}
	}
	wrapped, err := desc.WrapFile(file)
	if err != nil {
		return nil, err
	}
	printer := protoprint.Printer{Indent: "  ", SortElements: false}
	text, err := printer.PrintProtoToString(wrapped)
	return []byte(text), err
}

// verify compiles the texts and compares each descriptor with the one that the Go module carries.
func verify(ctx context.Context, files map[string][]byte) error {
	texts := map[string]string{}
	for path, text := range files {
		texts[path] = string(text)
	}
	compiler := protocompile.Compiler{
		Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
			Accessor: protocompile.SourceAccessorFromMap(texts),
		}),
	}
	for _, path := range sortedKeys(files) {
		compiled, err := compiler.Compile(ctx, path)
		if err != nil {
			return fmt.Errorf("file %q, printed and compiled again: %w", path, err)
		}
		if err := same(path, compiled[0]); err != nil {
			return err
		}
	}
	return nil
}

func same(path string, compiled linker.File) error {
	origin, err := protoregistry.GlobalFiles.FindFileByPath(path)
	if err != nil {
		return fmt.Errorf("file %q: %w", path, err)
	}
	want, err := normal(protodesc.ToFileDescriptorProto(origin))
	if err != nil {
		return fmt.Errorf("file %q: %w", path, err)
	}
	got, err := normal(protodesc.ToFileDescriptorProto(compiled))
	if err != nil {
		return fmt.Errorf("file %q, compiled: %w", path, err)
	}
	if !proto.Equal(want, got) {
		return fmt.Errorf("file %q: the printed text does not mean its descriptor:\nwant %s\ngot %s",
			path, prototext.Format(want), prototext.Format(got))
	}
	return nil
}

// normal reparses a descriptor with the linked extensions, so that options compare by value whatever type held
// them, and drops what says nothing: source positions, and options that are present but empty.
func normal(file *descriptorpb.FileDescriptorProto) (*descriptorpb.FileDescriptorProto, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(file)
	if err != nil {
		return nil, err
	}
	parsed := &descriptorpb.FileDescriptorProto{}
	if err := (proto.UnmarshalOptions{Resolver: protoregistry.GlobalTypes}).Unmarshal(b, parsed); err != nil {
		return nil, err
	}
	parsed.SourceCodeInfo = nil
	dropEmptyOptions(parsed.ProtoReflect())
	return parsed, nil
}

func dropEmptyOptions(m protoreflect.Message) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil || field.IsMap():
		case field.IsList():
			for i := range value.List().Len() {
				dropEmptyOptions(value.List().Get(i).Message())
			}
		case field.Name() == "options" && proto.Size(value.Message().Interface()) == 0:
			m.Clear(field)
		default:
			dropEmptyOptions(value.Message())
		}
		return true
	})
}
