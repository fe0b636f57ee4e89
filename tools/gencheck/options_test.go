package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/errors/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/invoicing/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/options/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/raw/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
	_ "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// Options as they are written in our .proto files; each occurrence gives one method or field its option.
var (
	writtenRule     = regexp.MustCompile(`option \(google\.api\.http\)`)
	writtenBehavior = regexp.MustCompile(`(?s)\[[^\]]*\(google\.api\.field_behavior\)[^\]]*\]`)
	comment         = regexp.MustCompile(`(?m)//.*$`)
)

// TestForeignOptionsReachTheGeneratedCode counts the google.api options in the text of each .proto file and in the
// descriptor that was generated from it. A foreign file that was printed wrongly would compile, and lose them all.
func TestForeignOptionsReachTheGeneratedCode(t *testing.T) {
	protos, err := tree(os.DirFS("../.."), "proto")
	if err != nil {
		t.Fatal(err)
	}
	rules, behaviors := 0, 0
	for name, text := range protos {
		path, ok := strings.CutPrefix(name, "proto/")
		if !ok || !strings.HasSuffix(path, ".proto") {
			continue
		}
		file, err := protoregistry.GlobalFiles.FindFileByPath(path)
		if err != nil {
			t.Errorf("%s: %v (import its Go package in this test)", path, err)
			continue
		}
		source := comment.ReplaceAll(text, nil)
		wantRules, gotRules := len(writtenRule.FindAll(source, -1)), countRules(file)
		if gotRules != wantRules {
			t.Errorf("%s: %d methods have a google.api.http rule, want %d", path, gotRules, wantRules)
		}
		wantBehaviors, gotBehaviors := len(writtenBehavior.FindAll(source, -1)), countBehaviors(file.Messages())
		if gotBehaviors != wantBehaviors {
			t.Errorf("%s: %d fields have a google.api.field_behavior, want %d", path, gotBehaviors, wantBehaviors)
		}
		rules, behaviors = rules+gotRules, behaviors+gotBehaviors
	}
	if rules == 0 || behaviors == 0 {
		t.Errorf("found %d rules and %d field behaviors in all files, want some", rules, behaviors)
	}
}

func countRules(file protoreflect.FileDescriptor) int {
	n := 0
	for i := range file.Services().Len() {
		methods := file.Services().Get(i).Methods()
		for j := range methods.Len() {
			rule, _ := proto.GetExtension(methods.Get(j).Options(), annotations.E_Http).(*annotations.HttpRule)
			if rule.GetPattern() != nil {
				n++
			}
		}
	}
	return n
}

func countBehaviors(messages protoreflect.MessageDescriptors) int {
	n := 0
	for i := range messages.Len() {
		message := messages.Get(i)
		for j := range message.Fields().Len() {
			if proto.HasExtension(message.Fields().Get(j).Options(), annotations.E_FieldBehavior) {
				n++
			}
		}
		n += countBehaviors(message.Messages())
	}
	return n
}
