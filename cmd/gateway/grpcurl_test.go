package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
)

// TestGrpcurl calls the gateway with a client that is not ours and knows nothing of our protos but what reflection
// tells: the release of grpcurl that tools/grpcurl.mod pins, run as a process against the program as it is served.
func TestGrpcurl(t *testing.T) {
	g := serve(t)
	c := &grpcurl{program: buildGrpcurl(t), addr: g.GRPC}
	t.Run("every service is listed", c.lists)
	t.Run("every service is described, with its options", c.describes)
	t.Run("every file comes whole, with what it imports", c.copies)
	t.Run("a caller without credentials acts as the service account", c.callsWithout)
	t.Run("a caller with credentials acts as himself", c.callsAsHimself)
	t.Run("members without a field are in extra_json", func(t *testing.T) { c.readsUnknownMembers(t, g.HTTP) })
	t.Run("an error carries details that can be read", c.readsErrors)
	t.Run("a file comes in pieces", func(t *testing.T) { c.downloads(t, g.HTTP) })
	t.Run("a file goes in pieces", c.uploads)
}

// buildGrpcurl makes grpcurl from pinned modules; the go command keeps what it made. The race detector's environment
// is left out, so that one build serves all tests.
func buildGrpcurl(t *testing.T) string {
	t.Helper()
	build := exec.Command("go", "tool", "-modfile=../../tools/grpcurl.mod", "-n", "grpcurl")
	build.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "CGO_ENABLED=") })
	build.Stderr = new(bytes.Buffer)
	out, err := build.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", build, err, build.Stderr)
	}
	return strings.TrimSpace(string(out))
}

// grpcurl is the program and the gateway that it is to call.
type grpcurl struct{ program, addr string }

// run gives its flags to grpcurl, then the address and what follows it.
func (c *grpcurl) run(flags []string, words ...string) (stdout, stderr string, code int, err error) {
	return c.feed("", flags, words...)
}

func (c *grpcurl) feed(stdin string, flags []string, words ...string) (stdout, stderr string, code int, err error) {
	args := slices.Concat([]string{"-plaintext", "-max-time", "20"}, flags, []string{c.addr}, words)
	child := exec.Command(c.program, args...)
	var out, complaint bytes.Buffer
	child.Stdin, child.Stdout, child.Stderr = strings.NewReader(stdin), &out, &complaint
	err = child.Run()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = nil
	}
	return out.String(), complaint.String(), child.ProcessState.ExitCode(), err
}

// must runs grpcurl and wants it to succeed.
func (c *grpcurl) must(t *testing.T, flags []string, words ...string) string {
	t.Helper()
	stdout, stderr, code, err := c.run(flags, words...)
	if err != nil || code != 0 {
		t.Fatalf("grpcurl %q %q: exit code %d, %v\n%s%s", flags, words, code, err, stdout, stderr)
	}
	return stdout
}

// call makes a call and reads the one answer.
func (c *grpcurl) call(t *testing.T, method, request string, headers ...string) map[string]any {
	t.Helper()
	flags := []string{"-d", request}
	for _, h := range headers {
		flags = append(flags, "-H", h)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(c.must(t, flags, method)), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// refusal is how grpcurl -format-error shows an error.
type refusal struct {
	Code    int              `json:"code"`
	Message string           `json:"message"`
	Details []map[string]any `json:"details"`
}

// refused makes a call that has to fail.
func (c *grpcurl) refused(t *testing.T, method, request string, headers ...string) refusal {
	t.Helper()
	flags := []string{"-format-error", "-d", request}
	for _, h := range headers {
		flags = append(flags, "-H", h)
	}
	stdout, stderr, code, err := c.run(flags, method)
	var r refusal
	if err != nil || code == 0 || json.Unmarshal([]byte(stderr), &r) != nil {
		t.Fatalf("grpcurl %s: exit code %d, %v, want a refusal\n%s%s", method, code, err, stdout, stderr)
	}
	if want := 64 + r.Code; code != want {
		t.Errorf("%s: exit code %d, want %d", method, code, want)
	}
	return r
}

// ourServices are the services of the protos this program was built from.
func ourServices() []protoreflect.ServiceDescriptor {
	var services []protoreflect.ServiceDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			if strings.HasPrefix(string(file.Package()), "rainbow.") {
				services = append(services, file.Services().Get(i))
			}
		}
		return true
	})
	return services
}

func (c *grpcurl) lists(t *testing.T) {
	got := strings.Fields(c.must(t, nil, "list"))
	want := []string{"google.longrunning.Operations", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}
	for _, service := range ourServices() {
		want = append(want, string(service.FullName()))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("listed:\n%q\nwant:\n%q", got, want)
	}
	if len(want) < 30 {
		t.Errorf("this program knows %d services only", len(want))
	}
}

func (c *grpcurl) describes(t *testing.T) {
	all := c.must(t, nil, "describe")
	for _, service := range ourServices() {
		_, text, found := strings.Cut(all, string(service.FullName())+" is a service:\n")
		if !found {
			t.Errorf("%s: not described", service.FullName())
			continue
		}
		text, _, _ = strings.Cut(text, " is a service:\n")
		for i := range service.Methods().Len() {
			describesMethod(t, text, service.Methods().Get(i))
		}
	}
}

// describesMethod wants a method with its types and, by name, the options that it has.
func describesMethod(t *testing.T, text string, m protoreflect.MethodDescriptor) {
	t.Helper()
	_, text, found := strings.Cut(text, "  rpc "+string(m.Name())+" (")
	if !found {
		t.Errorf("%s: not described", m.FullName())
		return
	}
	text, _, _ = strings.Cut(text, "\n  rpc ")
	wants := []string{string(m.Input().FullName()), string(m.Output().FullName())}
	m.Options().ProtoReflect().Range(func(option protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		name := string(option.FullName())
		if !option.IsExtension() {
			name = string(option.Name())
		}
		wants = append(wants, name)
		return true
	})
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s is described without %s:\n%s", m.FullName(), want, text)
		}
	}
}

// copies has grpcurl write down all that reflection tells, as others do to generate clients, and compares it with what
// the program was built from.
func (c *grpcurl) copies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rainbow.binpb")
	c.must(t, []string{"-protoset-out", path}, "describe")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatalf("the files do not stand by themselves: %v", err)
	}
	for _, service := range ourServices() {
		want := protodesc.ToFileDescriptorProto(service.ParentFile())
		file, err := files.FindFileByPath(want.GetName())
		if err != nil {
			t.Errorf("%s: %v", want.GetName(), err)
			continue
		}
		if got := protodesc.ToFileDescriptorProto(file); !proto.Equal(got, want) {
			t.Errorf("%s differs from what the program was built from", want.GetName())
		}
	}
}

const (
	listUsers = "rainbow.admin.v1.UsersService/ListUsers"
	getUser   = "rainbow.admin.v1.UsersService/GetUser"
	login     = "rainbow.authentication.v1.AuthenticationService/Login"
	createDdi = "rainbow.rvcpprovisioning.v1.CloudPbxPhoneNumberService/CreateDdi"
	invoice   = "5b7d0c0ffee0000000000001/2024-01/services/INV_SERV_2024-02-10_sandbox_company.csv"
	seedUser  = "5b7d0c0ffee1000000000001"
)

func (c *grpcurl) callsWithout(t *testing.T) {
	answer := c.call(t, listUsers, `{"limit": 3, "sortField": "loginEmail"}`)
	if users, _ := answer["data"].([]any); len(users) != 3 || answer["total"] != 21.0 || answer["limit"] != 3.0 {
		t.Errorf("got %v, want 3 of 21 users", answer)
	}
	if r := c.refused(t, login, ""); r.Code != 16 {
		t.Errorf("Login without credentials: %+v, want Unauthenticated: no service account for it", r)
	}
}

// signIn takes a token as Rainbow's S2S starter kit does; the headers of gRPC are those of REST.
func (c *grpcurl) signIn(t *testing.T, user, password string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(sandbox.AppSecret + password))
	basic := func(name, secret string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
	}
	answer := c.call(t, login, "", "authorization: "+basic(user, password),
		"x-rainbow-app-auth: "+basic(sandbox.AppID, hex.EncodeToString(digest[:])))
	token, _ := answer["token"].(string)
	return "authorization: Bearer " + token
}

func (c *grpcurl) callsAsHimself(t *testing.T) {
	admin := c.signIn(t, sandbox.AdminLogin, sandbox.AdminPassword)
	if answer := c.call(t, listUsers, "{}", admin); answer["total"] != 21.0 {
		t.Errorf("the administrator sees %v users, want 21", answer["total"])
	}
	user := c.signIn(t, "user000001@sandbox.example", "Sandbox-User-1")
	if r := c.refused(t, listUsers, "{}", user); r.Code != 7 || !strings.Contains(r.Message, "Access denied") {
		t.Errorf("a user who is no administrator lists users: %+v", r)
	}
	if r := c.refused(t, listUsers, "{}", "authorization: Bearer nonsense"); r.Code != 16 {
		t.Errorf("a token that is none: %+v", r)
	}
}

// overREST reads a path through the other door; a body makes it a PUT.
func overREST(t *testing.T, addr, path, body string) string {
	t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPut
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+addr+"/api/rainbow/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s, %v\n%s", method, path, resp.Status, err, b)
	}
	return string(b)
}

func (c *grpcurl) readsUnknownMembers(t *testing.T, door string) {
	const members = `{"badge":"0017","floor":null,"keys":[]}`
	overREST(t, door, "admin/v1.0/users/"+seedUser, `{"customData":`+members+`}`)
	answer := c.call(t, getUser, `{"userId": "`+seedUser+`"}`)
	user, _ := answer["data"].(map[string]any)
	custom, _ := user["customData"].(map[string]any)
	text, _ := custom["extraJson"].(string)
	if got, err := base64.StdEncoding.DecodeString(text); err != nil || string(got) != members {
		t.Errorf("customData of %v: extra_json %s, %v; want %s", user["loginEmail"], got, err, members)
	}
}

func (c *grpcurl) readsErrors(t *testing.T) {
	const request = `{"systemId": "` + sandbox.CloudPbxID + `", "body": {"number": "0298300650"}}`
	c.call(t, createDdi, request)
	r := c.refused(t, createDdi, request)
	if r.Code != 6 || r.Message != "Conflict: DDI number +33298300650 already exists" {
		t.Errorf("got %d %s", r.Code, r.Message)
	}
	byType := map[string]map[string]any{}
	for _, d := range r.Details {
		name, _ := d["@type"].(string)
		byType[strings.TrimPrefix(name, "type.googleapis.com/")] = d
	}
	if d := byType["rainbow.errors.v1.UpstreamError"]; d["httpStatus"] != 409.0 || d["errorDetailsCode"] != 409000.0 || d["errorMsg"] != "Conflict" {
		t.Errorf("UpstreamError: %v", d)
	}
	if d := byType["google.rpc.ErrorInfo"]; d["reason"] != "RAINBOW_409000" || d["domain"] != "rainbow-gateway" {
		t.Errorf("ErrorInfo: %v", d)
	}
	if d := byType["google.rpc.RequestInfo"]; d["requestId"] == nil {
		t.Errorf("RequestInfo: %v", d)
	}
}

func (c *grpcurl) downloads(t *testing.T, door string) {
	out := c.must(t, []string{"-d", `{"invoicePath": "` + invoice + `"}`}, "rainbow.invoicing.v1.InvoicesService/DownloadDownloadInvoice")
	var file []byte
	for pieces := json.NewDecoder(strings.NewReader(out)); ; {
		var piece struct {
			ContentType string `json:"contentType"`
			Data        []byte `json:"data"`
		}
		if err := pieces.Decode(&piece); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(file) == 0 && !strings.HasPrefix(piece.ContentType, "text/csv") {
			t.Errorf("content type %q, want text/csv", piece.ContentType)
		}
		file = append(file, piece.Data...)
	}
	if want := overREST(t, door, "invoicing/v1.0/invoices/"+invoice, ""); string(file) != want || want == "" {
		t.Errorf("got:\n%s\nREST gives:\n%s", file, want)
	}
}

func (c *grpcurl) uploads(t *testing.T) {
	pieces := []string{"__action__;loginEmail;firstName;lastName;pass", "word\ncreate;ann@demo.example;Ann;Lee;Password_1\n"}
	messages := `{"request": {"delimiter": ";"}}`
	for _, p := range pieces {
		messages += `{"chunk": "` + base64.StdEncoding.EncodeToString([]byte(p)) + `"}`
	}
	stdout, stderr, code, err := c.feed(messages, []string{"-d", "@"}, "rainbow.massprovisioning.v1.UsersAndDevicesService/UploadCheckUsersImport")
	var answer struct {
		Data struct {
			Actions struct {
				Add int `json:"add"`
			} `json:"actions"`
		} `json:"data"`
	}
	if err != nil || code != 0 || json.Unmarshal([]byte(stdout), &answer) != nil || answer.Data.Actions.Add != 1 {
		t.Errorf("got exit code %d, %v\n%s%s\nwant one user to add", code, err, stdout, stderr)
	}
}
