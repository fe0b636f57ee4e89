package syncserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// RawBody lets a REST route take a manifest as the body itself. It has the shape of the REST door's type of that name.
type RawBody struct {
	// Method is the full method name of the RPC.
	Method string
	// Media are the media types of the body, without parameters.
	Media []string
	// Message makes the request from path variables, query and body.
	Message func(r *http.Request, path map[string]string, body []byte) (proto.Message, error)
}

// RawBodies lists the routes that take a manifest as the body. The request's other fields are query parameters, under
// their JSON names or their proto names; "file" gives the manifest a name, "variables[NAME]" a variable its value. Secrets
// do not belong into an address, which logs show: a manifest that names some goes as a field of the JSON form.
func RawBodies() []RawBody {
	media := []string{"text/csv", "application/csv", "application/yaml", "text/yaml", "application/x-yaml"}
	return []RawBody{
		{syncv1.PlanService_CreatePlan_FullMethodName, media, rawMessage(func() proto.Message { return &syncv1.CreatePlanRequest{MaxFaults: maxFaults} })},
		{syncv1.PlanService_ValidateManifest_FullMethodName, media, rawMessage(func() proto.Message { return &syncv1.ValidateManifestRequest{} })},
		{syncv1.RunService_ApplyPlan_FullMethodName, media, rawMessage(func() proto.Message { return &syncv1.ApplyPlanRequest{} })},
		{syncv1.RunService_RetryRun_FullMethodName, media, rawMessage(func() proto.Message { return &syncv1.RetryRunRequest{} })},
		{syncv1.RunService_ResumeRun_FullMethodName, media, rawMessage(func() proto.Message { return &syncv1.ResumeRunRequest{} })},
	}
}

// fileParameter names the manifest in a query.
const fileParameter = "file"

func rawMessage(fresh func() proto.Message) func(*http.Request, map[string]string, []byte) (proto.Message, error) {
	return func(r *http.Request, path map[string]string, body []byte) (proto.Message, error) {
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return nil, invalid("query", "malformed: %v", err)
		}
		req := fresh()
		if err := checkQuery(req, query, path); err != nil {
			return nil, err
		}
		name := query.Get(fileParameter)
		query.Del(fileParameter)
		if err := runtime.PopulateQueryParameters(req, query, utilities.NewDoubleArray(nil)); err != nil {
			return nil, invalid("query", "%v", err)
		}
		m := req.ProtoReflect()
		fields := m.Descriptor().Fields()
		for variable, value := range path {
			m.Set(fields.ByName(protoreflect.Name(variable)), protoreflect.ValueOfString(value))
		}
		file := &syncv1.ManifestFile{Name: name, MediaType: r.Header.Get("Content-Type"), Content: body}
		m.Mutable(fields.ByName("manifest")).List().Append(protoreflect.ValueOfMessage(file.ProtoReflect()))
		return req, nil
	}
}

// checkQuery refuses parameters that are not a field of the request, or that come twice.
func checkQuery(req proto.Message, query url.Values, path map[string]string) error {
	var v violations
	fields := req.ProtoReflect().Descriptor().Fields()
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		field := fields.ByJSONName(name)
		if field == nil {
			field = fields.ByTextName(name)
		}
		_, inPath := path[name]
		switch {
		case len(query[name]) > 1 && (field == nil || !field.IsList()):
			v.add(name, "comes %d times", len(query[name]))
		case name == fileParameter:
		case strings.HasPrefix(name, "variables[") && strings.HasSuffix(name, "]") && fields.ByName("variables") != nil:
		case name == "secrets" || strings.HasPrefix(name, "secrets["):
			v.add("secrets", "no query parameter, since addresses are written to logs: send the request as JSON, with the manifest and its secrets as fields")
		case field == nil || inPath || field.Message() != nil:
			v.add(name, "not a query parameter here")
		}
	}
	return v.err()
}
