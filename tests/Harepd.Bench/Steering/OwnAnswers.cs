using System.Net;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Core.Observe;
using Harepd.Http;

namespace Harepd.Bench.Steering;

/// <summary>The daemon's own rooms that answer checks, with a status that is switched by hand: the primary with a lease, or without one.</summary>
internal sealed class OwnAnswers : IAsyncDisposable
{
    private readonly StatusServer _http;
    private readonly AgentServer _agent;

    private OwnAnswers(StatusServer http, AgentServer agent) => (_http, _agent) = (http, agent);

    public IPEndPoint Http => _http.EndPoint;

    public IPEndPoint Agent => _agent.EndPoint;

    public static async Task<(OwnAnswers Answers, Action<bool> Switch)> StartAsync()
    {
        var status = Status(isUp: false);
        var options = new StatusServerOptions { EndPoint = new IPEndPoint(IPAddress.Loopback, 0), HeartbeatLimit = TimeSpan.FromHours(1) };
        var http = await StatusServer.StartAsync(options, () => Volatile.Read(ref status), CancellationToken.None);
        return (new OwnAnswers(http, AgentServer.Start(options, () => Volatile.Read(ref status))), isUp => Volatile.Write(ref status, Status(isUp)));
    }

    public async ValueTask DisposeAsync()
    {
        await _agent.DisposeAsync();
        await _http.DisposeAsync();
    }

    private static NodeStatus Status(bool isUp) => new()
    {
        At = BootClock.Now,
        Cluster = "bench",
        Name = "node_1",
        HeldTerm = new Term(1),
        LeaseDeadline = isUp ? Instant.Forever : Instant.Zero,
        Gate = isUp ? Gate.ReadWrite : Gate.Fenced,
        Reason = isUp ? "holds the lease" : "the lease is over",
        Server = new ServerObservation { At = BootClock.Now, Health = ServerHealth.Running, InRecovery = false },
    };
}
