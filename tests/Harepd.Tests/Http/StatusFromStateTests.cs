using System.Collections.Immutable;
using Harepd.Core;
using Harepd.Core.Decide;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Core.Share;
using Harepd.Http;
using Xunit;

namespace Harepd.Tests.Http;

public sealed class StatusFromStateTests
{
    private static readonly MemberId One = new("10.0.0.1:10000");
    private static readonly MemberId Two = new("10.0.0.2:10000");
    private static readonly MemberId Tiny = new("10.0.0.3:10000");

    private static readonly StatusFacts Facts = new() { Cluster = "shop", ServerPort = 5432, HttpPort = 8008 };

    [Fact]
    public void A_holder_tells_its_lease_and_itself_as_the_leader()
    {
        var status = Make(Holding(Statuses.Now + TimeSpan.FromSeconds(3)), Statuses.Now);

        Assert.Equal((new Term(7), "node_1", Gate.ReadWrite), (status.HeldTerm, status.HolderName, status.Gate));
        Assert.True(HealthRules.IsOk("/primary", HealthQuery.None, status, Statuses.Now, Statuses.Limit));
        Assert.False(HealthRules.IsOk("/primary", HealthQuery.None, status, status.LeaseDeadline, TimeSpan.FromHours(1)));
        Assert.Equal("http://10.0.0.2:8008/patroni", status.Members.Single(m => m.Name == "node_2").ApiUrl);
        Assert.True(status.Members.Single(m => m.IsWitness).IsWitness);
    }

    [Fact]
    public void A_lease_that_ran_out_leads_nobody()
    {
        var status = Make(Holding(Statuses.Now), Statuses.Now);

        Assert.Equal("", status.HolderName);
        Assert.DoesNotContain(status.Members, m => m.IsHolder);
    }

    [Fact]
    public void A_gate_that_is_not_known_counts_as_fenced()
    {
        var state = Holding(Statuses.Now + TimeSpan.FromSeconds(3));
        state = state with { Gate = state.Gate with { IsKnown = false } };

        Assert.Equal(Gate.Fenced, Make(state, Statuses.Now).Gate);
    }

    [Fact]
    public void A_member_not_heard_for_long_is_silent_and_holds_nothing()
    {
        var state = Holding(Statuses.Now + TimeSpan.FromSeconds(3));

        var status = Make(state with { LastReport = null, Lease = null }, Statuses.Now + TimeSpan.FromMinutes(1));

        Assert.All(status.Members.Where(m => m.Name != "node_1"), m => Assert.True(m.IsSilent));
        Assert.Equal("", status.HolderName);
    }

    [Fact]
    public void A_member_never_heard_is_shown_by_its_address()
    {
        var state = Holding(Statuses.Now + TimeSpan.FromSeconds(3)) with { View = ClusterView.Empty };

        Assert.Contains(Make(state, Statuses.Now).Members, m => m.Name == Two.Address && m.IsSilent);
    }

    [Theory]
    [InlineData("node_2", "", true, false)]
    [InlineData("node_1,node_2", "", true, false)]
    [InlineData("", "node_2", false, true)]
    [InlineData("node_22", "node_", false, false)]
    public void A_standby_is_synchronous_by_the_holders_word_while_that_is_fresh(string synchronous, string quorum, bool isSynchronous, bool isQuorum)
    {
        var settings = Settings() with { Self = Two, NodeName = "node_2" };
        var word = Report(One, "node_1", "10.0.0.1") with
        {
            Version = 2, InRecovery = false, HeldTerm = new Term(7), Synchronous = synchronous, Quorum = quorum,
        };
        var state = new NodeState
        {
            Server = new ServerObservation { At = Statuses.Now, Health = ServerHealth.Running, InRecovery = true },
            LastStep = Statuses.Now,
            View = ClusterView.Empty.Merge(Report(Two, "node_2", "10.0.0.2"), settings.Membership, Statuses.Now).Merge(word, settings.Membership, Statuses.Now),
        };
        var facts = new StatusFacts { Cluster = "shop", ServerPort = 5432 };

        var status = StatusFromState.Make(state, settings, facts, Statuses.Now);
        var stale = StatusFromState.Make(state, settings, facts, Statuses.Now + settings.Freshness + TimeSpan.FromSeconds(1));

        Assert.Equal((isSynchronous, isQuorum), (status.IsSynchronous, status.IsQuorum));
        Assert.Equal((false, false), (stale.IsSynchronous, stale.IsQuorum));
    }

    [Fact]
    public void A_witness_has_no_server()
    {
        var settings = Settings() with { HasCandidate = false, IsWitness = true, Self = Tiny, NodeName = "" };

        var status = StatusFromState.Make(Holding(Statuses.Now) with { Lease = null }, settings, Facts, Statuses.Now);

        Assert.Null(status.Server);
        Assert.Equal(Tiny.Address, status.Name);
        Assert.False(HealthRules.IsOk("/health", HealthQuery.None, status, Statuses.Now, Statuses.Limit));
        Assert.True(HealthRules.IsAlive(status, Statuses.Now, Statuses.Limit));
    }

    private static NodeStatus Make(NodeState state, Instant now) => StatusFromState.Make(state, Settings(), Facts, now);

    private static NodeSettings Settings() => new()
    {
        Self = One,
        Membership = new Membership("shop", 1, [One, Two, Tiny]),
        NodeName = "node_1",
        Address = "10.0.0.1",
    };

    private static NodeState Holding(Instant deadline)
    {
        var me = new LeaseOwner(One, new Incarnation(5));
        var membership = Settings().Membership;
        var own = Report(One, "node_1", "10.0.0.1") with { InRecovery = false, HeldTerm = new Term(7), Gate = Gate.ReadWrite };
        var view = ClusterView.Empty
            .Merge(own, membership, Statuses.Now)
            .Merge(Report(Two, "node_2", "10.0.0.2") with { InRecovery = true, IsStreaming = true }, membership, Statuses.Now)
            .Merge(Report(Tiny, "", "") with { IsWitness = true }, membership, Statuses.Now);
        return new NodeState
        {
            Server = new ServerObservation { At = Statuses.Now, Health = ServerHealth.Running, InRecovery = false },
            LastStep = Statuses.Now,
            LastReport = own,
            View = view,
            Gate = new GateState { IsKnown = true, Now = Gate.ReadWrite, Asked = Gate.ReadWrite, Reason = "holds the lease" },
            Lease = new LeaseState
            {
                Me = me,
                RoundFloor = 1,
                Seed = 1,
                Held = new HeldLease(new Term(7), new Ballot(7, One, me.Incarnation), deadline, deadline, ImmutableSortedSet<MemberId>.Empty),
            },
        };
    }

    private static NodeReport Report(MemberId member, string name, string address) => new()
    {
        Member = member,
        Incarnation = new Incarnation(5),
        Version = 1,
        NodeName = name,
        Address = address,
        Health = ServerHealth.Running,
        WriteLsn = new Lsn(100),
        ReplayLsn = new Lsn(100),
    };
}
