package syncserver

import (
	"cmp"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// What a caller may choose about a run.

// runOptions is a request that starts a run or takes one up.
type runOptions interface {
	GetParallel() int32
	GetWaitForUpstream() *durationpb.Duration
	GetUsersBy() syncv1.UsersBy
}

// longestWait is the most that a caller may ask to be waited for anything.
const longestWait = 7 * 24 * time.Hour

var usersBy = map[syncv1.UsersBy]bulksync.UsersBy{
	syncv1.UsersBy_USERS_BY_UNSPECIFIED: bulksync.UsersByDefault,
	syncv1.UsersBy_USERS_BY_IMPORT:      bulksync.UsersByImport,
	syncv1.UsersBy_USERS_BY_ADMIN:       bulksync.UsersByAdmin,
}

// runOption checks what a caller chose.
func (v *violations) runOption(req runOptions) bulksync.RunOption {
	v.within("parallel", req.GetParallel(), 0, mostParallel)
	v.enum("users_by", int32(req.GetUsersBy()), syncv1.UsersBy_name)
	o := bulksync.RunOption{Parallel: int(req.GetParallel()), UsersBy: usersBy[req.GetUsersBy()]}
	if d := req.GetWaitForUpstream(); d != nil {
		if o.Patience = bulksync.MillisOf(v.wait("wait_for_upstream", d)); o.Patience == 0 {
			o.Patience = -1
		}
	}
	return o
}

// wait checks how long something is to be waited for; none is 0.
func (v *violations) wait(field string, d *durationpb.Duration) time.Duration {
	if d == nil {
		return 0
	}
	wait := d.AsDuration()
	if d.CheckValid() != nil || wait < 0 || wait > longestWait {
		v.add(field, "%s: want 0 to %s", wait, longestWait)
	}
	return wait
}

// renewed is what a run is resumed with: what the caller chose now, else what it was started with.
func renewed(before, now bulksync.RunOption) bulksync.RunOption {
	next := before
	next.Parallel = cmp.Or(now.Parallel, before.Parallel)
	next.Patience = cmp.Or(now.Patience, before.Patience)
	next.UsersBy = cmp.Or(now.UsersBy, before.UsersBy)
	return next
}
