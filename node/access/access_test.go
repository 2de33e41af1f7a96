package access

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tallygate/cluster/catalog"
)

// local is a catalog of one node without consensus around it.
type local struct{ store *catalog.Store }

func (l local) View() *catalog.View { return l.store.View() }
func (l local) Propose(_ context.Context, cmd *catalog.Command) (catalog.Result, error) {
	result, _ := l.store.Apply(cmd)
	return result, nil
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newControl(t *testing.T) (*Control, *clock) {
	t.Helper()
	c := &clock{time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	return New(local{catalog.NewStore()}, c.now), c
}

var machine = catalog.Actor{Kind: "node", Operator: true}

func TestALinkSignsInOnceAndTheSessionIsGoodUntilSignOut(t *testing.T) {
	c, _ := newControl(t)
	link, _, err := c.NewSignInLink(t.Context(), machine, OperatorName)
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := c.Redeem(t.Context(), link, "browser")
	if err != nil {
		t.Fatal(err)
	}
	user, ok := c.Authenticate(session)
	if !ok || !user.Operator {
		t.Fatalf("session gives %v", user)
	}
	if _, _, err := c.Redeem(t.Context(), link, "browser"); !errors.Is(err, ErrUnknownSecret) {
		t.Errorf("a used link: %v", err)
	}
	if err := c.SignOut(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Authenticate(session); ok {
		t.Error("the session outlived its sign-out")
	}
}

func TestOfManyThatRedeemOneLinkOneSucceeds(t *testing.T) {
	c, _ := newControl(t)
	link, _, err := c.NewSignInLink(t.Context(), machine, OperatorName)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	sessions := 0
	for range 16 {
		wg.Go(func() {
			if _, _, err := c.Redeem(t.Context(), link, ""); err == nil {
				mu.Lock()
				sessions++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if sessions != 1 {
		t.Errorf("%d sessions from one link", sessions)
	}
}

func TestSecretsExpire(t *testing.T) {
	c, clock := newControl(t)
	link, expires, err := c.NewSignInLink(t.Context(), machine, OperatorName)
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.NewToken(t.Context(), machine, OperatorName, "ci", []catalog.Scope{catalog.ScopeRead}, clock.at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	session, until, err := c.RedeemToken(t.Context(), token, "")
	if err != nil {
		t.Fatal(err)
	}

	clock.at = clock.at.Add(time.Hour)
	if _, ok := c.Token(token); ok {
		t.Error("the token outlived its hour")
	}
	clock.at = expires
	if _, _, err := c.Redeem(t.Context(), link, ""); !errors.Is(err, ErrUnknownSecret) {
		t.Errorf("an expired link: %v", err)
	}
	if _, ok := c.Authenticate(session); !ok {
		t.Error("the session ended early")
	}
	clock.at = until
	if _, ok := c.Authenticate(session); ok {
		t.Error("the session outlived its time")
	}
}

func TestOneKindOfSecretIsNotGoodForAnother(t *testing.T) {
	c, _ := newControl(t)
	link, _, err := c.NewSignInLink(t.Context(), machine, OperatorName)
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.NewToken(t.Context(), machine, OperatorName, "ci", nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{link, token, "", "tgs_guess"} {
		if _, ok := c.Authenticate(secret); ok {
			t.Errorf("%.4s… is taken for a session", secret)
		}
	}
	for _, secret := range []string{token, "", "tgl_guess"} {
		if _, _, err := c.Redeem(t.Context(), secret, ""); !errors.Is(err, ErrUnknownSecret) {
			t.Errorf("%.4s… is taken for a link: %v", secret, err)
		}
	}
	if _, _, err := c.RedeemToken(t.Context(), link, ""); !errors.Is(err, ErrUnknownSecret) {
		t.Errorf("a link is taken for a token: %v", err)
	}
}

func TestALinkForAnUnknownUserIsRefused(t *testing.T) {
	c, _ := newControl(t)
	if _, _, err := c.NewSignInLink(t.Context(), machine, "nobody"); err == nil {
		t.Error("a link was made for nobody")
	}
}

func TestATokenHoldsOnlyItsScopes(t *testing.T) {
	c, _ := newControl(t)
	secret, err := c.NewToken(t.Context(), machine, OperatorName, "ci", []catalog.Scope{catalog.ScopeRead}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	id, ok := c.Token(secret)
	if !ok || !id.May(catalog.ScopeRead) || id.May(catalog.ScopeWrite) {
		t.Errorf("identity %+v, known %v", id, ok)
	}
	if !Local.May(catalog.ScopeCluster) || (Identity{}).May(catalog.ScopeRead) {
		t.Error("the local socket holds all scopes and nobody none")
	}
}
