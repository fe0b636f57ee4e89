package jsoncodec

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// The tests' own document: a User as Rainbow has them, with one field of every kind.
//
//	message User {
//	  optional string id = 1;            repeated PhoneNumber phone_numbers = 7 [json_name = "phoneNumbers"];
//	  optional int32 number = 2;         repeated string tags = 8;
//	  optional double amount = 3;        optional uint32 count = 9;
//	  optional bool is_active = 4;       optional float ratio = 10;
//	  optional User manager = 5;         repeated int32 codes = 11;
//	  string login = 6;  (no presence)   int32 level = 12;  (no presence)
//	  bytes extra_json = 1000;           repeated double amounts = 13;  repeated bool flags = 14;
//	}
type schema struct {
	user   protoreflect.MessageDescriptor
	tables Tables
	codec  *Message
}

func (s *schema) new() proto.Message { return dynamicpb.NewMessage(s.user) }

func newSchema(t testing.TB) *schema {
	t.Helper()
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("codec_test.proto"), Package: proto.String("codec.test"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{
			message("PhoneNumber", str("number", 1), str("shortNumber", 2), boolean("isMonitored", 3)),
			message("User", str("id", 1), scalar("number", 2, descriptorpb.FieldDescriptorProto_TYPE_INT32),
				scalar("amount", 3, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE), boolean("isActive", 4),
				nested("manager", 5, ".codec.test.User"), implicit(str("login", 6)),
				list(nested("phoneNumbers", 7, ".codec.test.PhoneNumber")), list(str("tags", 8)),
				scalar("count", 9, descriptorpb.FieldDescriptorProto_TYPE_UINT32),
				scalar("ratio", 10, descriptorpb.FieldDescriptorProto_TYPE_FLOAT),
				list(scalar("codes", 11, descriptorpb.FieldDescriptorProto_TYPE_INT32)),
				implicit(scalar("level", 12, descriptorpb.FieldDescriptorProto_TYPE_INT32)),
				list(scalar("amounts", 13, descriptorpb.FieldDescriptorProto_TYPE_DOUBLE)), list(boolean("flags", 14))),
		},
	}
	fd, err := protodesc.NewFile(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &schema{user: fd.Messages().ByName("User")}
	if s.codec, err = s.tables.Message(s.user); err != nil {
		t.Fatal(err)
	}
	return s
}

// message builds a message with extra_json; every singular field has presence unless implicit.
func message(name string, fields ...*descriptorpb.FieldDescriptorProto) *descriptorpb.DescriptorProto {
	m := &descriptorpb.DescriptorProto{Name: proto.String(name)}
	for _, f := range fields {
		if f.GetProto3Optional() {
			f.OneofIndex = proto.Int32(int32(len(m.OneofDecl)))
			m.OneofDecl = append(m.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String("_" + f.GetName())})
		}
		m.Field = append(m.Field, f)
	}
	extra := implicit(scalar("extra", ExtraNumber, descriptorpb.FieldDescriptorProto_TYPE_BYTES))
	extra.Name, extra.JsonName = proto.String(ExtraName), nil
	m.Field = append(m.Field, extra)
	return m
}

func scalar(name string, number int32, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
	return &descriptorpb.FieldDescriptorProto{
		Name: proto.String("f_" + name), JsonName: proto.String(name), Number: proto.Int32(number), Type: kind.Enum(),
		Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Proto3Optional: proto.Bool(true),
	}
}

func str(name string, number int32) *descriptorpb.FieldDescriptorProto {
	return scalar(name, number, descriptorpb.FieldDescriptorProto_TYPE_STRING)
}

func boolean(name string, number int32) *descriptorpb.FieldDescriptorProto {
	return scalar(name, number, descriptorpb.FieldDescriptorProto_TYPE_BOOL)
}

func nested(name string, number int32, message string) *descriptorpb.FieldDescriptorProto {
	f := scalar(name, number, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE)
	f.TypeName, f.Proto3Optional = proto.String(message), nil
	return f
}

func list(f *descriptorpb.FieldDescriptorProto) *descriptorpb.FieldDescriptorProto {
	f.Label, f.Proto3Optional = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum(), nil
	return f
}

func implicit(f *descriptorpb.FieldDescriptorProto) *descriptorpb.FieldDescriptorProto {
	f.Proto3Optional = nil
	return f
}
