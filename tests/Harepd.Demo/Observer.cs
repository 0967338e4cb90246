using Harepd.Core.Model;
using Harepd.Lab;
using Harepd.Lab.Clients;
using Harepd.Lab.Daemon;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Demo;

/// <summary>Looks at the cluster the way its clients see it, a few times a second, and shows that.</summary>
internal sealed class Observer : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    private readonly LabCluster cluster;
    private readonly DemoClients clients;
    private readonly IDemoView view;
    private readonly CancellationTokenSource stop = new();
    private readonly Task looking;

    public Observer(LabCluster cluster, DemoClients clients, IDemoView view)
    {
        this.cluster = cluster;
        this.clients = clients;
        this.view = view;
        looking = Task.Run(LookAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await looking;
        stop.Dispose();
    }

    private async Task LookAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var states = await StatesAsync();
            var nodes = new List<NodeSnapshot>
            {
                await DataNodeAsync(cluster.Repmgr.Node1, clients.Direct1, states),
                await DataNodeAsync(cluster.Repmgr.Node2, clients.Direct2, states),
                await WitnessAsync(),
            };
            var attempts = clients.Main.Attempts;
            var last = attempts.LastOrDefault(attempt => attempt.IsAcknowledged)?.End ?? LabClock.Now;
            var acknowledged = attempts.Count(attempt => attempt.IsAcknowledged);
            view.Show(new Snapshot(LabClock.Now, nodes, LabClock.Now - last, acknowledged, attempts.Count - acknowledged));
            await Task.WhenAny(Task.Delay(Pace), Task.Delay(Timeout.Infinite, stop.Token));
        }
    }

    private async Task<IReadOnlyList<HaproxyState>> StatesAsync()
    {
        try
        {
            return await cluster.Haproxy.StatesAsync();
        }
        catch (LabException)
        {
            return [];
        }
    }

    private async Task<NodeSnapshot> DataNodeAsync(RepmgrNode node, Writer direct, IReadOnlyList<HaproxyState> states)
    {
        var answer = node.Server.IsRunning
            ? await node.Server.TryScalarAsync<string>(
                "SELECT pg_is_in_recovery() || ' ' || (CASE WHEN pg_is_in_recovery() THEN coalesce((SELECT received_tli FROM pg_stat_wal_receiver), 0)"
                + " ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END)")
            : null;
        var fields = (answer ?? "").Split(' ');
        var role = fields[0] switch { "true" => "standby", "false" => "primary", _ => node.Server.IsRunning ? "no answer" : "down" };
        return new NodeSnapshot(
            node.Name,
            node.Server.Address,
            role,
            fields.Length == 2 ? uint.Parse(fields[1]) : 0,
            Gate(direct.Last),
            cluster.DaemonOf(node).IsRunning ? "running" : "ended",
            await LeaseAsync(node),
            StateOf(states, HaproxyServer.WriteBackend, node),
            StateOf(states, HaproxyServer.ReadBackend, node));
    }

    private async Task<NodeSnapshot> WitnessAsync() => new(
        cluster.Repmgr.Witness.Name,
        cluster.Repmgr.Witness.Server.Address,
        "witness",
        0,
        "",
        cluster.WitnessDaemon.IsRunning ? "running" : "ended",
        await LeaseAsync(cluster.Repmgr.Witness),
        "",
        "");

    // A voter names whom it grants the lease; the holder itself also its term.
    private async Task<string> LeaseAsync(RepmgrNode node)
    {
        var told = await DaemonView.AskAsync(LabCluster.Member(node), stop.Token);
        var holder = cluster.Repmgr.DataNodes.FirstOrDefault(other => LabCluster.Member(other) == told?.HolderMember);
        return told switch
        {
            null => "no answer",
            { HeldTerm: > 0 } => $"holds it, term {told.HeldTerm}",
            _ when holder is not null => $"grants {holder.Name}",
            _ => "free",
        };
    }

    private static string StateOf(IReadOnlyList<HaproxyState> states, string backend, RepmgrNode node) =>
        states.FirstOrDefault(state => state.Backend == backend && state.Server == node.Name)?.Status ?? "?";

    // 28000: refused by pg_hba.conf. 25006: a standby's read-only transaction.
    private static string Gate(WriteAttempt? attempt) => attempt switch
    {
        null => "",
        { IsAcknowledged: true } => "writes",
        { Error: var error } when error.StartsWith("25006", StringComparison.Ordinal) => "reads only",
        { Error: var error } when error.StartsWith("28000", StringComparison.Ordinal) => "refused",
        _ => "no answer",
    };
}
