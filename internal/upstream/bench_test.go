package upstream_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream/jsoncodec"
)

// userPage is a page of users of about 2 KB whose members are all typed, so that protojson does the same work.
func userPage() []byte {
	var users []string
	for i := range 4 {
		users = append(users, fmt.Sprintf(`{"id":"5b7d0c0ffee00000000100%02d","loginEmail":"user%06d@sandbox.example","firstName":"First%d","lastName":"Last é%d",
 "displayName":"First%d Last%d","companyId":"5b7d0c0ffee0000000000001","isActive":true,"isInitialized":false,"country":"FRA","language":"fr-FR","timezone":"Europe/Paris",
 "phoneNumbers":[{"shortNumber":"8%04d","pbxId":"PBX712e-bd96-0c27","systemId":"57dc0644f44a97c9155cd462","country":"FRA","number":"0390676767","isFromSystem":true,"deviceType":"landline","type":"work"}],
 "emails":[{"email":"user%06d@sandbox.example","type":"work"}]}`, i, i, i, i, i, i, i, i))
	}
	return []byte(`{"data":[` + strings.Join(users, ",") + `],"total":1000,"limit":4,"offset":0}`)
}

func BenchmarkUserPage(b *testing.B) {
	var tables jsoncodec.Tables
	page := userPage()
	msg := &adminv1.ListUsersResponse{}
	codec, err := tables.Message(msg.ProtoReflect().Descriptor())
	if err != nil {
		b.Fatal(err)
	}
	if err := protojson.Unmarshal(page, msg); err != nil { // refuses what is not typed
		b.Fatal(err)
	}
	run := func(name string, once func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				if err := once(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("decode/jsoncodec", func() error { return codec.Unmarshal(page, &adminv1.ListUsersResponse{}) })
	run("decode/protojson", func() error { return protojson.Unmarshal(page, &adminv1.ListUsersResponse{}) })
	run("encode/jsoncodec", func() error { _, err := codec.Append(nil, msg); return err })
	run("encode/protojson", func() error { _, err := protojson.Marshal(msg); return err })
	run("check", func() error { return jsoncodec.Check(page, jsoncodec.Limits{}) })
}
