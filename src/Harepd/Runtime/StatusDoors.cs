using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Harepd.Clock;
using Harepd.Config;
using Harepd.Core;
using Harepd.Core.Model;
using Harepd.History;
using Harepd.Http;
using Harepd.Peers;

namespace Harepd.Runtime;

/// <summary>
/// The health port and HAProxy's agent-check port. They belong to the process that decides, so that their answers fail when it fails
/// (DESIGN section 5); what they say is made once a state, however many ask.
/// </summary>
internal sealed class StatusDoors(HarepdConfig config, NodeSettings settings, NodeLoop loop, HistoryLane history, TlsFiles? tls) : IAsyncDisposable
{
    private readonly StatusFacts _facts = new() { Cluster = config.Cluster, ServerPort = config.Postgres?.Port ?? 5432, HttpPort = config.Http.BindPort, IsHttps = config.Http.Tls != HttpTls.Off };
    private StatusServer? _status;
    private AgentServer? _agent;
    private Tuple<NodeState, NodeStatus>? _made;
    private Tuple<Reigns, ImmutableArray<HistoryEntry>>? _ended;

    /// <summary>Opens the ports that are configured; null, or what could not be bound.</summary>
    public async Task<string?> OpenAsync(CancellationToken stop)
    {
        if (!settings.HasCandidate && !settings.IsWitness)
        {
            return null;
        }

        var port = config.Http.BindPort;
        try
        {
            if (config.Http.IsEnabled)
            {
                _status = await StatusServer.StartAsync(Options(port), Now, stop);
            }

            port = config.Http.AgentPort;
            if (port != 0)
            {
                _agent = AgentServer.Start(new StatusServerOptions { EndPoint = new IPEndPoint(config.Http.BindAddress, port) }, Now);
            }

            return null;
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            return $"cannot listen on {config.Http.BindAddress}:{port} (http): {failure.Message}";
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_status is { } status)
        {
            await status.DisposeAsync();
        }

        if (_agent is { } agent)
        {
            await agent.DisposeAsync();
        }
    }

    private StatusServerOptions Options(int port) => new()
    {
        EndPoint = new IPEndPoint(config.Http.BindAddress, port),
        Tls = config.Http.Tls == HttpTls.Off ? null : () => tls!.Current,
        RequiresClientCertificate = config.Http.Tls == HttpTls.Require,
    };

    private NodeStatus Now()
    {
        var state = loop.State;
        if (_made is { } made && ReferenceEquals(made.Item1, state))
        {
            return made.Item2;
        }

        var status = StatusFromState.Make(state, settings, _facts with { History = EndedTimelines(), Decisions = history.Recent }, BootClock.Now);
        _made = Tuple.Create(state, status);
        return status;
    }

    private ImmutableArray<HistoryEntry> EndedTimelines()
    {
        var reigns = history.Reigns;
        if (_ended is not { } ended || !ReferenceEquals(ended.Item1, reigns))
        {
            _ended = ended = Tuple.Create(reigns, reigns.Ended.Select(Entry).ToImmutableArray());
        }

        return ended.Item2;

        static HistoryEntry Entry(EndedTimeline one) =>
            new(one.Timeline, Lsn.TryParse(one.SwitchLsn, out var lsn) ? lsn : default, one.Reason, new DateTimeOffset(one.AtUtc, TimeSpan.Zero), one.NewHolder);
    }
}
