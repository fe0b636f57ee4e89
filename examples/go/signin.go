package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	adminv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/admin/v1"
	authenticationv1 "github.com/rainbow-gateway/rainbow-gateway/gen/rainbow/authentication/v1"
)

// Account is a Rainbow account and the application that its owner uses.
type Account struct{ Login, Password, AppID, AppSecret string }

// SignIn returns a context whose calls the gateway passes on as the account's own, with a token that Rainbow gave. The
// headers are Rainbow's (S2S starter kit); in gRPC they are metadata.
func SignIn(ctx context.Context, conn grpc.ClientConnInterface, a Account) (context.Context, *adminv1.User, error) {
	digest := sha256.Sum256([]byte(a.AppSecret + a.Password))
	answer, err := authenticationv1.NewAuthenticationServiceClient(conn).Login(metadata.AppendToOutgoingContext(ctx,
		"authorization", basic(a.Login, a.Password),
		"x-rainbow-app-auth", basic(a.AppID, hex.EncodeToString(digest[:])),
	), &authenticationv1.LoginRequest{})
	if err != nil {
		return nil, nil, err
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+answer.GetToken()), answer.GetLoggedInUser(), nil
}

func basic(name, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+secret))
}

// asOneself calls as a user of the sandbox. All other calls here bring no credentials: on the gateway's machine they go
// on as its service account.
func asOneself(ctx context.Context, conn grpc.ClientConnInterface) error {
	title("A call with credentials of one's own")
	ctx, user, err := SignIn(ctx, conn, Account{
		Login: "user000002@sandbox.example", Password: "Sandbox-User-1", AppID: "sandbox-app", AppSecret: "sandbox-secret",
	})
	if err != nil {
		return err
	}
	fmt.Printf("signed in as %s\n", user.GetDisplayName())
	if _, err := adminv1.NewUsersServiceClient(conn).ListUsers(ctx, &adminv1.ListUsersRequest{}); err != nil {
		fmt.Println(err)
		return nil
	}
	return fmt.Errorf("%s, who is no administrator, may list users", user.GetLoginEmail())
}
