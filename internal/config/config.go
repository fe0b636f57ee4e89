// Package config is the gateway's configuration: one struct whose fields are at once command-line flags, environment
// variables and keys of the YAML file, validated as a whole and shown without secrets.
//
// A program embeds Config (or Engine, for the verbs that need no listeners) in its command-line struct, parses with kong
// and the options that Options returns, and calls Complete, which reads secrets and reports every problem at once.
// Precedence: flag, environment, file, default. Values are plain data; nothing here is safe for concurrent change.
package config

import "time"

// Config is everything that `gateway serve` can be told.
type Config struct {
	Listeners
	DriftWatch
	Engine
}

// Listeners says where the gateway answers and how much it takes from one caller.
type Listeners struct {
	GRPCAddr  string `name:"grpc-addr" env:"GATEWAY_GRPC_ADDR" default:"127.0.0.1:9090" placeholder:"HOST:PORT" group:"Listeners" help:"Address of the gRPC door; port 0 picks a free one."`
	HTTPAddr  string `name:"http-addr" env:"GATEWAY_HTTP_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" group:"Listeners" help:"Address of the REST door."`
	AdminAddr string `name:"admin-addr" env:"GATEWAY_ADMIN_ADDR" default:"127.0.0.1:9091" placeholder:"HOST:PORT" group:"Listeners" help:"Address of metrics, the drift page, health and pprof."`

	ListenerTLS

	AllowOrigins   []string `name:"allow-origin" env:"GATEWAY_ALLOW_ORIGIN" placeholder:"ORIGIN" group:"Listeners" help:"Browser origins, beside the gateway's own, whose pages may call (CORS) and use the service account."`
	CatchAll       string   `name:"catch-all" env:"GATEWAY_CATCH_ALL" default:"auto" enum:"auto,on,off" group:"Listeners" help:"Pass Rainbow paths that are not modelled upstream as they come: auto (loopback listeners only), on, off."`
	Docs           string   `name:"docs" env:"GATEWAY_DOCS" default:"on" enum:"on,off" group:"Listeners" help:"Serve the reference of the REST door at /docs, without credentials: on, off."`
	IdentityHeader string   `name:"identity-header" env:"GATEWAY_IDENTITY_HEADER" placeholder:"NAME" group:"Listeners" help:"Header in which a proxy on this machine names the callers of the sync engine; anything else on this machine could set it too."`
	Validate       string   `name:"validate" env:"GATEWAY_VALIDATE" default:"report" enum:"report,strict,off" group:"Listeners" help:"Requests against Rainbow's documented constraints: report (let through, counted and logged), strict (refused), off."`

	MaxBodyBytes    int64         `name:"max-body-bytes" env:"GATEWAY_MAX_BODY_BYTES" default:"8388608" group:"Listeners" help:"Largest JSON body taken from a caller, in bytes."`
	MaxUploadBytes  int64         `name:"max-upload-bytes" env:"GATEWAY_MAX_UPLOAD_BYTES" default:"268435456" group:"Listeners" help:"Largest CSV, form or unmodelled body taken from a caller, in bytes."`
	MaxMessageBytes int           `name:"max-message-bytes" env:"GATEWAY_MAX_MESSAGE_BYTES" default:"16777216" group:"Listeners" help:"Largest gRPC message either way, in bytes."`
	StopTimeout     time.Duration `name:"stop-timeout" env:"GATEWAY_STOP_TIMEOUT" default:"15s" group:"Listeners" help:"How long calls under way may take to finish when the gateway stops."`

	DriftSample float64 `name:"drift-sample" env:"GATEWAY_DRIFT_SAMPLE" default:"1" group:"Listeners" help:"Answers of each operation that the drift radar inspects a second, after the first 100; 0 turns it off."`
}

// Engine says which Rainbow to talk to, as whom, and where the state is kept. The verbs that run the engine in-process
// embed it without Listeners.
type Engine struct {
	Upstream   string   `name:"upstream" env:"GATEWAY_UPSTREAM" default:"sandbox" placeholder:"URL|sandbox" group:"Upstream" help:"Rainbow host to speak to, or the embedded sandbox."`
	State      string   `name:"state" env:"GATEWAY_STATE" placeholder:"FILE" group:"State" help:"State file (default $XDG_STATE_HOME/rainbow-gateway/state.db)."`
	ConfigFile FileFlag `name:"config" env:"GATEWAY_CONFIG" placeholder:"FILE" group:"State" help:"YAML file with a key per flag."`

	Login         string `name:"login" env:"GATEWAY_LOGIN" placeholder:"EMAIL" group:"Service account" help:"Login of the service account."`
	LoginFile     string `name:"login-file" env:"GATEWAY_LOGIN_FILE" placeholder:"FILE" group:"Service account" help:"File that holds the login."`
	Password      Secret `kong:"-" env:"GATEWAY_PASSWORD" help:"Password of the service account; environment only."`
	PasswordFile  string `name:"password-file" env:"GATEWAY_PASSWORD_FILE" placeholder:"FILE" group:"Service account" help:"File that holds the password."`
	AppID         string `name:"app-id" env:"GATEWAY_APP_ID" placeholder:"ID" group:"Service account" help:"Rainbow application id."`
	AppIDFile     string `name:"app-id-file" env:"GATEWAY_APP_ID_FILE" placeholder:"FILE" group:"Service account" help:"File that holds the application id."`
	AppSecret     Secret `kong:"-" env:"GATEWAY_APP_SECRET" help:"Rainbow application secret; environment only."`
	AppSecretFile string `name:"app-secret-file" env:"GATEWAY_APP_SECRET_FILE" placeholder:"FILE" group:"Service account" help:"File that holds the application secret."`

	UpstreamCA      string        `name:"upstream-ca" env:"GATEWAY_UPSTREAM_CA" placeholder:"FILE" group:"Upstream" help:"PEM file of the certificate authorities to trust instead of the system's."`
	UpstreamPlain   bool          `name:"upstream-plain" env:"GATEWAY_UPSTREAM_PLAIN" group:"Upstream" help:"Allow http:// to a host that is not this machine; credentials then travel in the clear."`
	UpstreamTimeout time.Duration `name:"upstream-timeout" env:"GATEWAY_UPSTREAM_TIMEOUT" default:"120s" group:"Upstream" help:"Longest wait for one upstream answer."`
	DialTimeout     time.Duration `name:"dial-timeout" env:"GATEWAY_DIAL_TIMEOUT" default:"10s" group:"Upstream" help:"Longest wait for a connection to Rainbow."`
	RateLimit       float64       `name:"rate-limit" env:"GATEWAY_RATE_LIMIT" default:"0" group:"Upstream" help:"Upstream calls a second; 0 is no limit."`
	RateBurst       int           `name:"rate-burst" env:"GATEWAY_RATE_BURST" default:"20" group:"Upstream" help:"Upstream calls that may start at once under --rate-limit."`

	History

	SeedUsers int `name:"seed-users" env:"GATEWAY_SEED_USERS" default:"20" group:"Sandbox" help:"Users of the sandbox's company when its world is made."`

	Fault     []string `name:"fault" env:"GATEWAY_FAULT" sep:"none" placeholder:"RULE" group:"Sandbox" help:"Fault of the sandbox, such as 'operation: ListUsers, status: 503, times: 2'; repeatable (docs/sandbox.md)."`
	Faults    string   `name:"faults" env:"GATEWAY_FAULTS" placeholder:"FILE" group:"Sandbox" help:"File of such rules, YAML or JSON; those of --fault come first."`
	FaultSeed int      `name:"fault-seed" env:"GATEWAY_FAULT_SEED" default:"0" group:"Sandbox" help:"Chooses among the reproducible courses of faults that have a probability."`

	LogLevel string `name:"log-level" env:"GATEWAY_LOG_LEVEL" default:"info" enum:"debug,info,warn,error" group:"Logs" help:"Least level that is logged: debug, info, warn, error."`
}

// SandboxUpstream is the value of Upstream that stands for the embedded Rainbow.
const SandboxUpstream = "sandbox"

// UsesSandbox tells whether the upstream is the embedded sandbox.
func (e *Engine) UsesSandbox() bool { return e.Upstream == SandboxUpstream }

// HasAccount tells whether a service account is configured. Call it after Complete.
func (e *Engine) HasAccount() bool { return e.Login != "" }
