// Package webhook tells a receiver of an event, by a signed POST after the Standard Webhooks specification
// (https://www.standardwebhooks.com).
//
// [New] makes a Sender of one receiver and one secret; [Sender.Send] delivers a message, trying again for a while when the
// receiver is out of reach or in trouble. A Sender is safe for concurrent use and keeps nothing between messages: what was
// not delivered is the caller's to remember. What the messages say is not its business.
package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The headers of a message. The signature is "v1," and the base64 of the HMAC-SHA256, by the secret's bytes, over the id,
// a dot, the timestamp, a dot and the body.
const (
	// HeaderID is the same whenever a message is sent again: a receiver that knows it has had the message.
	HeaderID = "Webhook-Id"
	// HeaderTimestamp is when this try was made, in seconds since 1970. A receiver refuses one that is minutes old.
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

// SecretPrefix begins a secret; its bytes follow in base64.
const SecretPrefix = "whsec_"

// The bytes that a secret has, after the specification.
const (
	leastSecret = 24
	mostSecret  = 64
)

// mostAnswer is how much of an answer is read, to keep its connection.
const mostAnswer = 64 << 10

// Options are what a Sender is made of.
type Options struct {
	// URL is the receiver's: https, or http on this machine.
	URL string
	// Secret is "whsec_" and 24 to 64 bytes in base64.
	Secret string
	// UserAgent names the sender.
	UserAgent string
	// Timeout is the longest wait for one answer; 0 means 10 s.
	Timeout time.Duration
	// Patience is how long a message is tried; 0 means 5 min. Pause is the first wait between tries, each later one twice as
	// long with jitter, at most a minute; 0 means 1 s.
	Patience, Pause time.Duration
	// Transport replaces the connection, to trust other certificate authorities; nil means one of its own.
	Transport *http.Transport
}

// Sender delivers messages to one receiver.
type Sender struct {
	opts   Options
	host   string
	signer *standardwebhooks.Webhook
	client *http.Client
}

// New makes a sender. The error never holds the secret, nor the URL's path and query, which may be one.
func New(o Options) (*Sender, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("webhook: the address is not https://HOST/PATH")
	}
	if err := CheckSecret(o.Secret); err != nil {
		return nil, fmt.Errorf("webhook: %w", err)
	}
	signer, err := standardwebhooks.NewWebhook(o.Secret)
	if err != nil {
		return nil, errors.New("webhook: the secret is not base64")
	}
	o.Timeout, o.Patience, o.Pause = orDefault(o.Timeout, 10*time.Second), orDefault(o.Patience, 5*time.Minute), orDefault(o.Pause, time.Second)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if o.Transport != nil {
		transport = o.Transport.Clone()
	}
	if u.Scheme == "http" {
		transport.Proxy = nil
		transport.DialContext = (&net.Dialer{Timeout: o.Timeout, Control: onlyLoopback}).DialContext
	}
	return &Sender{opts: o, host: u.Scheme + "://" + u.Host, signer: signer, client: &http.Client{
		Transport: transport, Timeout: o.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func orDefault(d, other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return d
}

// Close lets go of idle connections.
func (s *Sender) Close() { s.client.CloseIdleConnections() }

// CheckSecret says what is wrong with a secret, without quoting it.
func CheckSecret(secret string) error {
	text, ok := strings.CutPrefix(secret, SecretPrefix)
	if !ok {
		return errors.New("the secret does not begin with " + SecretPrefix)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return errors.New("the secret is not base64 behind " + SecretPrefix)
	}
	if len(b) < leastSecret || len(b) > mostSecret {
		return fmt.Errorf("the secret has %d bytes; want %d to %d", len(b), leastSecret, mostSecret)
	}
	return nil
}

// errNotLoopback: plain HTTP would leave this machine.
var errNotLoopback = errors.New("plain http is for receivers on this machine; want https")

// onlyLoopback refuses addresses of other machines, whatever a name may have resolved to.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil || !addr.Addr().Unmap().IsLoopback() {
		return errNotLoopback
	}
	return nil
}

// Send delivers a message, a JSON document, and returns when the receiver has taken it (any 2xx), refused it for good, or
// was out of reach for as long as the sender's patience lasts. Answers 408, 425, 429 and 5xx and broken connections are
// tried again; Retry-After is honoured up to the longest pause. A redirect is a refusal: it is not followed, since the
// receiver that was configured is the one that was trusted.
func (s *Sender) Send(ctx context.Context, id string, body []byte) error {
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.Multiplier, pauses.MaxInterval = s.opts.Pause, 2, longestPause
	_, err := backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, s.try(ctx, id, body) },
		backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(s.opts.Patience))
	if err != nil {
		return fmt.Errorf("webhook %s: %w", s.host, err)
	}
	return nil
}

const longestPause = time.Minute

// try sends a message once.
func (s *Sender) try(ctx context.Context, id string, body []byte) error {
	now := time.Now()
	signature, err := s.signer.Sign(id, now, body)
	if err != nil {
		return backoff.Permanent(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opts.URL, bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(errors.New("the address can't be called"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.opts.UserAgent)
	req.Header.Set(HeaderID, id)
	req.Header.Set(HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(HeaderSignature, signature)
	resp, err := s.client.Do(req)
	if err != nil {
		return s.unsent(ctx, err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, mostAnswer)) // what it says is of no interest
	return judge(resp)
}

// unsent is a call without an answer; the URL is kept out of its words.
func (s *Sender) unsent(ctx context.Context, err error) error {
	var called *url.Error
	if errors.As(err, &called) {
		err = called.Err
	}
	if ctx.Err() != nil || errors.Is(err, errNotLoopback) {
		return backoff.Permanent(err)
	}
	return err
}

// judge tells what an answer means.
func judge(resp *http.Response) error {
	err := fmt.Errorf("answered %s", resp.Status)
	switch c := resp.StatusCode; {
	case c >= 200 && c < 300:
		return nil
	case c >= 300 && c < 400:
		return backoff.Permanent(fmt.Errorf("%w: redirects are not followed", err))
	case c == http.StatusRequestTimeout, c == http.StatusTooEarly, c == http.StatusTooManyRequests, c >= 500:
		if wait, asked := retryAfter(resp.Header.Get("Retry-After"), time.Now()); asked {
			return fmt.Errorf("%w: %w", err, backoff.RetryAfter(int(min(wait, longestPause).Seconds())))
		}
		return err
	}
	return backoff.Permanent(err)
}

// retryAfter reads the header in both of its forms (RFC 9110, 10.2.3).
func retryAfter(value string, now time.Time) (wait time.Duration, ok bool) {
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now), true
	}
	return 0, false
}
