// Command demo shows the gateway's main job from beginning to end: a manifest in the vendor's own format is planned,
// applied and planned again, against the embedded sandbox, and two operations are called through both doors.
//
// It runs the gateway binary as a user would, in a temporary folder, on free ports, and leaves nothing behind.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// cloudPbx is the id of the sandbox's Cloud PBX.
const cloudPbx = "5b7d0c0ffee0000000000101"

func main() {
	binary := flag.String("gateway", "bin/gateway", "gateway binary")
	manifest := flag.String("manifest", "samples/rainbowvoice.csv", "manifest to plan and apply")
	flag.Parse()
	os.Exit(run(*binary, *manifest))
}

// run shows the story; an interrupted one, too, ends its gateway and removes its folder.
func run(binary, manifest string) int {
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(interrupted, 2*time.Minute)
	defer cancel()
	err := show(ctx, binary, manifest)
	switch {
	case err == nil:
		return 0
	case interrupted.Err() != nil:
		fmt.Fprintln(os.Stderr, "demo: interrupted")
		return 130
	}
	fmt.Fprintf(os.Stderr, "demo: %v\n", err)
	return 1
}

func show(ctx context.Context, binary, manifest string) (err error) {
	folder, err := os.MkdirTemp("", "rainbow-gateway-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	title("A gateway with its embedded Rainbow, on free ports")
	gateway, err := start(ctx, binary, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gateway.stop()) }()
	for _, step := range []func(context.Context, string) error{
		gateway.syncStory, gateway.grpcCalls, gateway.restCalls,
	} {
		if err := step(ctx, manifest); err != nil {
			return err
		}
	}
	title("Your turn")
	fmt.Println("make run     serves gateway and sandbox until Ctrl-C; then, in another terminal:")
	fmt.Println("  bin/gateway plan  --server 127.0.0.1:9090 --refresh -f samples/rainbowvoice.csv")
	fmt.Println("  bin/gateway apply --server 127.0.0.1:9090 -f samples/rainbowvoice.csv")
	fmt.Println("  curl 'http://127.0.0.1:8080/api/rainbow/admin/v1.0/users?limit=3'")
	return nil
}

// gateway is a running gateway process.
type gateway struct {
	binary string
	child  *exec.Cmd
	Grpc   string `json:"grpc"`
	HTTP   string `json:"http"`
}

// start starts the gateway and waits until it says where it listens.
func start(ctx context.Context, binary, folder string) (*gateway, error) {
	g := &gateway{binary: binary}
	args := []string{"serve", "--upstream", "sandbox", "--state", filepath.Join(folder, "state.db"),
		"--grpc-addr", "127.0.0.1:0", "--http-addr", "127.0.0.1:0", "--admin-addr", "127.0.0.1:0", "--log-level", "warn"}
	command(binary + " serve --upstream sandbox …")
	g.child = exec.CommandContext(ctx, binary, args...)
	stderr, err := g.child.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := g.child.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		fmt.Println(lines.Text())
		if strings.Contains(lines.Text(), `"msg":"listening"`) {
			go func() { _, _ = io.Copy(os.Stderr, stderr) }()
			return g, json.Unmarshal(lines.Bytes(), g)
		}
	}
	return nil, errors.Join(fmt.Errorf("%s ended before it listened", binary), g.child.Wait())
}

// stop ends the gateway as Ctrl-C does.
func (g *gateway) stop() error {
	if err := g.child.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return g.child.Wait()
}

// syncStory is the main job.
func (g *gateway) syncStory(ctx context.Context, manifest string) error {
	title("What Rainbow holds now is recorded")
	if err := g.run(ctx, 0, "refresh", "--server", g.Grpc); err != nil {
		return err
	}
	title("The manifest is checked, without any network")
	if err := g.run(ctx, 0, "validate", "-f", manifest); err != nil {
		return err
	}
	title("The plan: what would be done, in which order, and why (nothing is changed)")
	if err := g.run(ctx, 2, "plan", "--server", g.Grpc, "-f", manifest); err != nil {
		return err
	}
	plan, err := g.savedPlan(ctx)
	if err != nil {
		return err
	}
	title("Just that plan is applied; the manifest goes along for its passwords, which are stored nowhere")
	if err := g.run(ctx, 0, "apply", plan, "--server", g.Grpc, "-f", manifest, "--yes"); err != nil {
		return err
	}
	title("Planned again, against what Rainbow holds now: nothing is left to do")
	return g.run(ctx, 0, "plan", "--server", g.Grpc, "--refresh", "-f", manifest)
}

// savedPlan asks the gateway for the name of the plan that was just shown. A reader takes it from the plan's last line;
// the demo leaves that line, like all of a verb's output, to the terminal.
func (g *gateway) savedPlan(ctx context.Context) (string, error) {
	conn, err := grpc.NewClient(g.Grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	plans, err := syncv1.NewPlanServiceClient(conn).ListPlans(ctx, &syncv1.ListPlansRequest{Parent: "companies/-"})
	if err != nil {
		return "", err
	}
	if len(plans.GetPlans()) != 1 {
		return "", fmt.Errorf("the gateway keeps %d plans, want 1", len(plans.GetPlans()))
	}
	return path.Base(plans.GetPlans()[0].GetName()), nil
}

// run runs a verb and holds its exit code against what is wanted.
func (g *gateway) run(ctx context.Context, want int, args ...string) error {
	command(g.binary + " " + strings.Join(args, " "))
	child := exec.CommandContext(ctx, g.binary, args...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	err := child.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	if got := child.ProcessState.ExitCode(); got != want {
		return fmt.Errorf("gateway %s: exit code %d, want %d", args[0], got, want)
	}
	return nil
}

// grpcCalls calls two operations through the gRPC door.
func (g *gateway) grpcCalls(ctx context.Context, _ string) error {
	title("Two calls over gRPC: typed, and what has no field of its own in extra_json")
	conn, err := grpc.NewClient(g.Grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	command("grpcurl -plaintext -d '{\"limit\": 1, \"sortField\": \"loginEmail\"}' " + g.Grpc + " rainbow.admin.v1.UsersService/ListUsers")
	users, err := adminv1.NewUsersServiceClient(conn).ListUsers(ctx, &adminv1.ListUsersRequest{Limit: proto.Int32(1), SortField: proto.String("loginEmail")})
	if err != nil {
		return err
	}
	printMessage(users)
	command("grpcurl -plaintext -d '{\"systemId\": \"" + cloudPbx + "\", \"body\": {\"number\": \"0298300650\"}}' " + g.Grpc +
		" rainbow.rvcpprovisioning.v1.CloudPbxPhoneNumberService/CreateDdi")
	ddi, err := rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(conn).CreateDdi(ctx, &rvcpprovisioningv1.CreateDdiRequest{
		SystemId: cloudPbx, Body: &rvcpprovisioningv1.CreateDdiBody{Number: proto.String("0298300650")},
	})
	if err != nil {
		return err
	}
	printMessage(ddi)
	fmt.Printf("extra_json of data, decoded: %s\n", ddi.GetData().GetExtraJson())
	return nil
}

func printMessage(m proto.Message) {
	var pretty bytes.Buffer
	b, err := protojson.Marshal(m)
	if err == nil {
		err = json.Indent(&pretty, b, "", "  ")
	}
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(pretty.String())
}

// restCalls calls the same two operations through the REST door: Rainbow's own paths and JSON.
func (g *gateway) restCalls(ctx context.Context, _ string) error {
	title("The same two over REST: Rainbow's own paths, names and bytes")
	if err := g.rest(ctx, http.MethodGet, "/api/rainbow/admin/v1.0/users?limit=1&sortField=loginEmail", ""); err != nil {
		return err
	}
	return g.rest(ctx, http.MethodPost, "/api/rainbow/rvcpprovisioning/v1.0/cloudpbxs/"+cloudPbx+"/phone-numbers/ddi", `{"number": "0298300651"}`)
}

func (g *gateway) rest(ctx context.Context, method, target, body string) error {
	if body == "" {
		command("curl 'http://" + g.HTTP + target + "'")
	} else {
		command("curl -H 'Content-Type: application/json' -d '" + body + "' 'http://" + g.HTTP + target + "'")
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+g.HTTP+target, strings.NewReader(body))
	if err != nil {
		return err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	fmt.Printf("%s  %s\n%s\n", resp.Status, resp.Header.Get("Content-Type"), answer)
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, target, resp.Status)
	}
	return nil
}

func title(words string) { fmt.Printf("\n=== %s\n", words) }

func command(words string) { fmt.Printf("\n$ %s\n", words) }
