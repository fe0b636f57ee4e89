package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// transportFlags say how to connect to the gateway of --server.
type transportFlags struct {
	CA   string `name:"ca" placeholder:"FILE" env:"GATEWAY_SERVER_CA" group:"Engine" help:"PEM file of the authorities that vouch for the gateway of --server; connects with TLS."`
	Cert string `name:"cert" placeholder:"FILE" env:"GATEWAY_SERVER_CERT" group:"Engine" help:"PEM file of the client certificate that tells that gateway who you are; connects with TLS."`
	Key  string `name:"key" placeholder:"FILE" env:"GATEWAY_SERVER_KEY" group:"Engine" help:"PEM file of that certificate's key."`
}

// largestAnswer is the largest message that is taken from a gateway, in bytes.
const largestAnswer = 64 << 20

// dial connects to the gateway of --server: with TLS for https://HOST:PORT and wherever a certificate is named.
func (f *engineFlags) dial() (*grpc.ClientConn, error) {
	address, https := strings.CutPrefix(f.Server, "https://")
	creds := insecure.NewCredentials()
	if https || f.transportFlags != (transportFlags{}) {
		config, err := f.transportFlags.config()
		if err != nil {
			return nil, err
		}
		creds = credentials.NewTLS(config)
	}
	conn, err := grpc.NewClient(strings.TrimSuffix(address, "/"), grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(largestAnswer)))
	if err != nil {
		return nil, fmt.Errorf("server %s: %w", f.Server, err)
	}
	return conn, nil
}

// private tells whether nobody on the way to the gateway of --server can read along.
func (f *engineFlags) private() bool {
	return strings.HasPrefix(f.Server, "https://") || f.transportFlags != (transportFlags{}) || loopbackAddress(f.Server)
}

// config trusts the authorities of --ca, or the system's, and shows the certificate of --cert.
func (f transportFlags) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		b, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("--ca %s: holds no certificate in PEM", f.CA)
		}
	}
	switch {
	case f.Cert == "" && f.Key == "":
		return config, nil
	case f.Cert == "" || f.Key == "":
		return nil, errors.New("a client certificate needs its key: give both --cert and --key")
	}
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("--cert, --key: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
