package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	gosync "sync"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"cloud.google.com/go/longrunning/autogen/longrunningpb"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	syncv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/sync/v1"
	"github.com/rainbow-gateway/rainbow-gateway/internal/config"
	"github.com/rainbow-gateway/rainbow-gateway/internal/facade"
	"github.com/rainbow-gateway/rainbow-gateway/internal/rest"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sandbox"
	"github.com/rainbow-gateway/rainbow-gateway/internal/server"
	"github.com/rainbow-gateway/rainbow-gateway/internal/state"
	bulksync "github.com/rainbow-gateway/rainbow-gateway/internal/sync"
	"github.com/rainbow-gateway/rainbow-gateway/internal/sync/rainbow"
	"github.com/rainbow-gateway/rainbow-gateway/internal/syncserver"
	"github.com/rainbow-gateway/rainbow-gateway/internal/upstream"
)

// openState opens the state file. It comes before everything else that a gateway opens: who finds it locked leaves the
// sandbox's world alone, which is kept beside it.
func openState(e config.Engine) (*state.Store, error) {
	return state.Open(e.State, state.Options{UpstreamURL: e.Upstream})
}

// syncServices makes the engine's services over the parts of a gateway. They close the store when the gateway stops.
func syncServices(e config.Engine, watch config.DriftWatch, store *state.Store) func(server.Parts) ([]server.Service, error) {
	return func(p server.Parts) ([]server.Service, error) {
		if p.GRPCAddr != "" {
			if err := store.Announce(p.GRPCAddr); err != nil {
				return nil, err
			}
		}
		drift, closeSender, err := driftOptions(watch, p)
		if err != nil {
			return nil, err
		}
		account := accountLogin(e)
		retention, err := retentionOf(e)
		if err != nil {
			return nil, err
		}
		s, err := syncserver.New(syncserver.Options{
			Principal: principal, Approval: bulksync.ApprovalPolicy(e.Approval), Retention: retention,
			Engine:   &bulksync.Engine{Store: store, Target: rainbow.New(p.Conn, rainbow.Options{Account: account, Logger: p.Log})},
			Company:  companyOf(p.Conn, account),
			Status:   facade.Status,
			Drift:    drift,
			Registry: p.Registry,
			Log:      p.Log,
		})
		if err != nil {
			return nil, err
		}
		return mount(s, func() error {
			closeSender()
			return store.Close()
		}), nil
	}
}

// principal is the caller of one of the engine's services.
func principal(ctx context.Context) bulksync.Principal {
	p := facade.PrincipalFrom(ctx)
	switch {
	case p.Name == "":
		return bulksync.Principal{}
	case p.Token:
		return bulksync.Principal{Name: p.Name, ID: p.UserID, Company: p.Company, By: bulksync.VouchedByToken}
	case p.Certificate:
		return bulksync.Principal{Name: p.Name, By: bulksync.VouchedByCertificate}
	}
	return bulksync.Principal{Name: p.Name, By: bulksync.VouchedByListener}
}

func retentionOf(e config.Engine) (r bulksync.Retention, err error) {
	if r.Runs, err = bulksync.ParseSpan(e.KeepRuns); err != nil {
		return r, fmt.Errorf("keep-runs: %w", err)
	}
	if r.Plans, err = bulksync.ParseSpan(e.KeepPlans); err != nil {
		return r, fmt.Errorf("keep-plans: %w", err)
	}
	return r, nil
}

// stopPatience is how long a run may take to finish its calls in flight when the gateway stops.
const stopPatience = 30 * time.Second

// mount turns the engine's services into services of the gateway, with their routes. The first one closes the engine, and then
// the rest.
func mount(s *syncserver.Server, closeRest func() error) []server.Service {
	routes := map[string]func(context.Context, *runtime.ServeMux, grpc.ClientConnInterface) error{
		syncv1.PlanService_ServiceDesc.ServiceName: func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return syncv1.RegisterPlanServiceHandlerClient(ctx, mux, syncv1.NewPlanServiceClient(conn))
		},
		syncv1.RunService_ServiceDesc.ServiceName: func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return syncv1.RegisterRunServiceHandlerClient(ctx, mux, syncv1.NewRunServiceClient(conn))
		},
		syncv1.StateService_ServiceDesc.ServiceName: func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return syncv1.RegisterStateServiceHandlerClient(ctx, mux, syncv1.NewStateServiceClient(conn))
		},
		syncv1.DriftService_ServiceDesc.ServiceName: func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return syncv1.RegisterDriftServiceHandlerClient(ctx, mux, syncv1.NewDriftServiceClient(conn))
		},
		longrunningpb.Operations_ServiceDesc.ServiceName: func(ctx context.Context, mux *runtime.ServeMux, conn grpc.ClientConnInterface) error {
			return syncserver.RegisterOperationsHandlerClient(ctx, mux, longrunningpb.NewOperationsClient(conn))
		},
	}
	var services []server.Service
	for _, service := range s.Services() {
		mounted := server.Service{Local: facade.Local{Desc: service.Desc, Impl: service.Impl, Identified: true}, Register: routes[service.Desc.ServiceName]}
		for _, raw := range syncserver.RawBodies() {
			if strings.HasPrefix(raw.Method, "/"+service.Desc.ServiceName+"/") {
				mounted.RawBodies = append(mounted.RawBodies, rest.RawBody(raw))
			}
		}
		services = append(services, mounted)
	}
	services[0].Close = func() error {
		ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
		defer cancel()
		return errors.Join(s.Close(ctx), closeRest())
	}
	return services
}

// accountLogin is the login of the service account; empty without one.
func accountLogin(e config.Engine) string {
	if e.UsesSandbox() && !e.HasAccount() {
		return sandbox.AdminLogin
	}
	return e.Login
}

// companyOf gives the company of the service account, which upstream tells once: ListUsers finds the account by its login
// (admin guide).
func companyOf(conn grpc.ClientConnInterface, account string) func(context.Context) (string, error) {
	var mu gosync.Mutex
	known := ""
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if known != "" || account == "" {
			return known, accountErr(account)
		}
		answer, err := adminv1.NewUsersServiceClient(conn).ListUsers(ctx, &adminv1.ListUsersRequest{LoginEmail: proto.String(account), Limit: proto.Int32(2)})
		if err != nil {
			return "", err
		}
		for _, u := range answer.GetData() {
			if strings.EqualFold(u.GetLoginEmail(), account) {
				known = u.GetCompanyId()
				return known, nil
			}
		}
		return "", fmt.Errorf("upstream does not list the service account %s among its users, so its company is not known: name the company", account)
	}
}

func accountErr(account string) error {
	if account == "" {
		return upstream.ErrNoAccount
	}
	return nil
}
