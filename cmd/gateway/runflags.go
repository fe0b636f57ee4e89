package main

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
)

// runFlags say how a run is carried out.
type runFlags struct {
	Parallel        int32          `placeholder:"N" help:"Highest number of calls in flight (default 8). A run begins with two, and learns how many Rainbow bears."`
	WaitForUpstream *time.Duration `placeholder:"DURATION" help:"How long the run waits while Rainbow is out of reach or wants no calls, before it comes to rest (default 30m); 0s: not at all."`
	UsersBy         string         `placeholder:"WAY" enum:"import,admin," default:"" help:"How users are created, changed and deleted: import (many at a time, the default) or admin (a call for each)."`
	Wait            time.Duration  `placeholder:"DURATION" help:"How long to wait for another run of the company, or another process at the state file, to end; without it the command is refused then, and says who is in the way."`
}

// wait is how long to wait for others; nil for not at all.
func (f *runFlags) wait() *durationpb.Duration {
	if f.Wait <= 0 {
		return nil
	}
	return durationpb.New(f.Wait)
}

// patience is how long to wait for upstream; nil leaves it to the gateway.
func (f *runFlags) patience() *durationpb.Duration {
	if f.WaitForUpstream == nil {
		return nil
	}
	return durationpb.New(*f.WaitForUpstream)
}

func (f *runFlags) usersBy() syncv1.UsersBy {
	return map[string]syncv1.UsersBy{"import": syncv1.UsersBy_USERS_BY_IMPORT, "admin": syncv1.UsersBy_USERS_BY_ADMIN}[f.UsersBy]
}
