// Package rainbow is the engine's Target: it reads a company's state from Rainbow and carries out the operations of a
// plan there, over the generated clients and any connection that serves them.
//
// [New] makes a [Target]; it implements the engine's Target and Batcher. Users are created, changed and deleted by mass
// provisioning imports, many at a time (import.go, report.go); what an import can't say goes by UpdateUser,
// and extensions, devices, public numbers and licences are single calls (step.go). A call whose answer was
// lost is looked up by Confirm (confirm.go), an import by its label.
//
// A Target is safe for concurrent use and keeps no state. Plans, books and retries of runs are the engine's; retries of
// single requests, credentials and rate limits are the connection's.
package rainbow

import (
	"cmp"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	massprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/massprovisioning/v1"
	rvcpprovisioningv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/rvcpprovisioning/v1"
	subscriptionv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/subscription/v1"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
)

// Options configure a Target. The zero value of each is a sensible default.
type Options struct {
	// Account is the login that the connection's calls are made under: the engine protects that user.
	Account string
	// PageSize is how many things a list is asked for at once. Default and most: 1000 (Rainbow CLI).
	PageSize int
	// ImportBatch is how many operations one import carries at most. Default: 500.
	ImportBatch int
	// ImportBytes is how long the rows of one import are at most, about. Default: 1 MiB.
	ImportBytes int
	// UsersBy is how users are created, changed and deleted when a run does not say: by imports unless it is UsersByAdmin.
	UsersBy bulksync.UsersBy
	// Settle is how long upstream's lists may lag behind its writes: so long what is not there is looked for before a
	// creation is believed not done. Default: 20 s.
	Settle time.Duration
	// PollInterval is the first pause between two looks at a running import; later ones grow by half up to the longer of
	// it and 5 s. Default: 200 ms.
	PollInterval time.Duration
	// PollTimeout is how long an import is waited for; after it its outcome is unknown, and Confirm looks it up. Default:
	// 15 minutes.
	PollTimeout time.Duration
	// Parallel is how many requests one method of the Target makes at the same time. Default: 4.
	Parallel int
	// Logger gets what is odd about upstream's answers, never a value; nil is silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.PageSize = min(cmp.Or(o.PageSize, maxPage), maxPage)
	o.ImportBatch = cmp.Or(o.ImportBatch, 500)
	o.ImportBytes = cmp.Or(o.ImportBytes, 1<<20)
	o.UsersBy = cmp.Or(o.UsersBy, bulksync.UsersByImport)
	o.Settle = cmp.Or(o.Settle, 20*time.Second)
	o.PollInterval = cmp.Or(o.PollInterval, 200*time.Millisecond)
	o.PollTimeout = cmp.Or(o.PollTimeout, 15*time.Minute)
	o.Parallel = cmp.Or(o.Parallel, 4)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return o
}

// Target speaks to Rainbow for the engine.
type Target struct {
	opts Options

	users         adminv1.UsersServiceClient
	profiles      adminv1.UserProfilesServiceClient
	systems       adminv1.SystemsServiceClient
	numbers       adminv1.SystemPhoneNumbersServiceClient
	cloudPbxs     rvcpprovisioningv1.CloudPbxServiceClient
	subscribers   rvcpprovisioningv1.CloudPbxSubscriberServiceClient
	devices       rvcpprovisioningv1.CloudPbxDeviceServiceClient
	deviceKeys    rvcpprovisioningv1.CloudPbxDeviceKeyServiceClient
	groups        rvcpprovisioningv1.CloudPbxGroupForwardServiceClient
	ddis          rvcpprovisioningv1.CloudPbxPhoneNumberServiceClient
	subscriptions subscriptionv1.SubscriptionsServiceClient
	offers        subscriptionv1.OffersServiceClient
	imports       massprovisioningv1.UsersAndDevicesServiceClient

	userShown, usersShown grpc.CallOption
}

var (
	_ bulksync.Target  = (*Target)(nil)
	_ bulksync.Batcher = (*Target)(nil)
	_ bulksync.Prober  = (*Target)(nil)
)

// New makes a target over a connection that serves Rainbow's operations: the gateway's dispatcher or its upstream client.
func New(conn grpc.ClientConnInterface, opts Options) *Target {
	conn = metered{documents{conn}}
	return &Target{
		opts:          opts.withDefaults(),
		userShown:     userShown(),
		usersShown:    usersShown(),
		users:         adminv1.NewUsersServiceClient(conn),
		profiles:      adminv1.NewUserProfilesServiceClient(conn),
		systems:       adminv1.NewSystemsServiceClient(conn),
		numbers:       adminv1.NewSystemPhoneNumbersServiceClient(conn),
		cloudPbxs:     rvcpprovisioningv1.NewCloudPbxServiceClient(conn),
		subscribers:   rvcpprovisioningv1.NewCloudPbxSubscriberServiceClient(conn),
		devices:       rvcpprovisioningv1.NewCloudPbxDeviceServiceClient(conn),
		deviceKeys:    rvcpprovisioningv1.NewCloudPbxDeviceKeyServiceClient(conn),
		groups:        rvcpprovisioningv1.NewCloudPbxGroupForwardServiceClient(conn),
		ddis:          rvcpprovisioningv1.NewCloudPbxPhoneNumberServiceClient(conn),
		subscriptions: subscriptionv1.NewSubscriptionsServiceClient(conn),
		offers:        subscriptionv1.NewOffersServiceClient(conn),
		imports:       massprovisioningv1.NewUsersAndDevicesServiceClient(conn),
	}
}
