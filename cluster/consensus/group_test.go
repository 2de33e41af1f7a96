package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"

	"tallygate/cluster/catalog"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// member is one node of a group inside this process.
type member struct {
	*Consensus
	journal journal
	trans   *raft.InmemTransport
}

// group opens members that reach each other without sockets; the first one
// bootstraps and adds the others.
func group(t *testing.T, n int) []*member {
	t.Helper()
	members := make([]*member, n)
	for i := range members {
		_, trans := raft.NewInmemTransport(raft.ServerAddress(fmt.Sprint("address-", i)))
		members[i] = &member{trans: trans}
		for _, m := range members[:i+1] {
			trans.Connect(m.trans.LocalAddr(), m.trans)
			m.trans.Connect(trans.LocalAddr(), trans)
		}
	}
	for i, m := range members {
		m.Consensus = open(t, t.TempDir(), m.journal.listen, func(o *Options) {
			o.NodeID = fmt.Sprint("node-", i)
			o.Transport = m.trans
			o.Join = i > 0
		})
	}
	for i, m := range members[1:] {
		id := raft.ServerID(fmt.Sprint("node-", i+1))
		if err := members[0].raft.AddVoter(id, m.trans.LocalAddr(), 0, 0).Error(); err != nil {
			t.Fatal(err)
		}
	}
	return members
}

func leaderOf(t *testing.T, members []*member) *member {
	t.Helper()
	var leader *member
	await(t, "a leader", func() bool {
		for _, m := range members {
			if m.raft.State() == raft.Leader {
				leader = m
				return true
			}
		}
		return false
	})
	return leader
}

func agree(t *testing.T, members []*member) {
	t.Helper()
	await(t, "the members to agree", func() bool {
		for _, m := range members {
			if a, b := m.Status(), members[0].Status(); a.Digest != b.Digest || a.CatalogVersion != b.CatalogVersion {
				return false
			}
		}
		return true
	})
}

func TestAGroupOutlivesItsLeader(t *testing.T) {
	members := group(t, 3)
	for i := range 20 {
		propose(t, members[0].Consensus, organization(i))
	}
	agree(t, members)
	if _, err := members[1].Propose(context.Background(), organization(99)); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a follower answers %v", err)
	}
	if err := members[1].WaitLeader(context.Background()); err != nil {
		t.Error(err)
	}
	if s := members[2].Status(); s.Leader != "node-0" || s.State != "follower" {
		t.Errorf("%+v", s)
	}

	closed(t, members[0].Consensus)
	rest := members[1:]
	leader := leaderOf(t, rest)
	cmd := organization(100)
	await(t, "the new leader to take a command", func() bool {
		r, err := leader.Propose(context.Background(), cmd)
		return err == nil && r.Version == 21
	})
	agree(t, rest)
}

func TestACutOffLeaderDoesNotAcknowledge(t *testing.T) {
	members := group(t, 3)
	propose(t, members[0].Consensus, organization(1))
	agree(t, members)
	for _, m := range members[1:] {
		m.trans.Disconnect(members[0].trans.LocalAddr())
		members[0].trans.Disconnect(m.trans.LocalAddr())
	}
	lost := organization(2)
	if _, err := members[0].Propose(context.Background(), lost); !errors.Is(err, ErrNotLeader) {
		t.Errorf("a leader without a majority answers %v", err)
	}
	leader := leaderOf(t, members[1:])
	await(t, "the others to go on", func() bool {
		_, err := leader.Propose(context.Background(), organization(3))
		return err == nil
	})
	for _, m := range members[1:] {
		m.trans.Connect(members[0].trans.LocalAddr(), members[0].trans)
		members[0].trans.Connect(m.trans.LocalAddr(), m.trans)
	}
	agree(t, members)
	if members[0].fsm.store.View().OrganizationByID("org-2") != nil {
		t.Error("what was never committed took effect")
	}
}

func TestAMemberFarBehindGetsASnapshot(t *testing.T) {
	members := group(t, 1)
	m := members[0]
	if err := m.raft.ReloadConfig(raft.ReloadableConfig{
		TrailingLogs: 1, SnapshotInterval: time.Hour, SnapshotThreshold: 8192,
		HeartbeatTimeout: heartbeatTimeout, ElectionTimeout: electionTimeout,
	}); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		propose(t, m.Consensus, organization(i))
	}
	if err := m.raft.Snapshot().Error(); err != nil {
		t.Fatal(err)
	}
	_, trans := raft.NewInmemTransport("address-late")
	late := &member{trans: trans}
	trans.Connect(m.trans.LocalAddr(), m.trans)
	m.trans.Connect(trans.LocalAddr(), trans)
	late.Consensus = open(t, t.TempDir(), late.journal.listen, func(o *Options) {
		o.NodeID, o.Transport, o.Join = "late", trans, true
	})
	if err := m.raft.AddVoter("late", trans.LocalAddr(), 0, 0).Error(); err != nil {
		t.Fatal(err)
	}
	agree(t, []*member{m, late})
	late.journal.mu.Lock()
	defer late.journal.mu.Unlock()
	if late.journal.whole != 2 || late.journal.versions[len(late.journal.versions)-1] != 50 {
		t.Errorf("%d calls with nil changes, versions %v", late.journal.whole, late.journal.versions)
	}
}

func TestASnapshotHoldsUpNobody(t *testing.T) {
	c := open(t, t.TempDir())
	propose(t, c, organization(1))
	snapshot, err := c.fsm.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	// While it is being written, commands go on, and it stays what it was.
	r, w := io.Pipe()
	persisted := make(chan error, 1)
	go func() { persisted <- snapshot.Persist(pipeSink{w}) }()
	propose(t, c, organization(2))
	restored := catalog.NewStore()
	if err := restored.Restore(r); err != nil {
		t.Fatal(err)
	}
	if err := <-persisted; err != nil {
		t.Fatal(err)
	}
	if v := restored.View().Version(); v != 1 {
		t.Errorf("the snapshot is of version %d", v)
	}
}

type pipeSink struct{ *io.PipeWriter }

func (pipeSink) ID() string    { return "test" }
func (pipeSink) Cancel() error { return nil }

func TestRaftsMessagesReachSlog(t *testing.T) {
	var out bytes.Buffer
	handler := slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})
	var l hclog.Logger = newHCLogger(slog.New(handler).With("component", "consensus"))
	l.Debug("too quiet")
	l.Named("raft").With("last-index", 3).Warn("it happened", "error", errors.New("broken"), "peer", hclog.Fmt("%s!", "node-1"))
	l.StandardLogger(nil).Println("plain")
	want := []string{
		`level=WARN msg="it happened" component=consensus last_index=3 err=broken peer=node-1!`,
		`level=INFO msg=plain component=consensus`,
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%q", lines)
	}
	for i := range want {
		if !strings.HasSuffix(lines[i], want[i]) {
			t.Errorf("%s", lines[i])
		}
	}
	if l.IsTrace() || l.IsDebug() || !l.IsInfo() || !l.IsWarn() || !l.IsError() || l.GetLevel() != hclog.Info {
		t.Error("the level isn't the handler's")
	}
}
