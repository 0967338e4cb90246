using System.Collections.Concurrent;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Core.Share;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Harepd.Pgbouncer;
using Harepd.Tests.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Pgbouncer;

/// <summary>A real PgBouncer and a real PostgreSQL with two addresses, which stand for two servers; and lanes that steer the one between the other.</summary>
public sealed class PgbouncerLab : IAsyncLifetime
{
    /// <summary>This node's server, and the other's.</summary>
    public const string Here = "127.20.40.1", There = "127.20.40.2";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly LabFolder lab = LabFolder.Create();
    private TestServer? server;

    /// <summary>The lease of this node, as the lanes see it.</summary>
    internal Instant Lease { get; set; } = Instant.Forever;

    internal PgbouncerServer Bouncer { get; private set; } = null!;

    internal int Port => server!.Port;

    public async Task InitializeAsync()
    {
        server = TestServer.Start(Here, $"listen_addresses = '{Here},{There}'");
        server.Query("CREATE ROLE app LOGIN");
        server.Query("CREATE DATABASE app OWNER app");
        Bouncer = new PgbouncerServer(lab, "bouncer", lab.AddressOf(1));
        await Bouncer.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await lab.DisposeAsync();
        server?.Dispose();
    }

    internal WriterPlace Place(string host, long term) => new(new Term(term), host, Port);

    internal PgbouncerTarget Target(PgbouncerServer? bouncer = null) => new()
    {
        Databases = [new PooledDatabase("app", "pool_size=5")],
        IncludeFile = (bouncer ?? Bouncer).IncludeFile,
        User = PgbouncerServer.Admin,
        OwnHost = Here,
        OwnPort = Port,
    };

    /// <summary>A lane on a PgBouncer, and what it told.</summary>
    internal SteeredLane Steer(PgbouncerServer? bouncer = null)
    {
        Lease = Instant.Forever;
        return new SteeredLane(this, bouncer ?? Bouncer);
    }

    /// <summary>A session through PgBouncer.</summary>
    internal Task<WireSession> LoginAsync(TimeSpan? limit = null) => WireSession.LoginAsync(Bouncer.Address, Bouncer.Port, "app", "app", limit ?? Patience);

    /// <summary>Which server a session's statements reach.</summary>
    internal static async Task<string?> WhereAsync(WireSession session) => (await session.QueryAsync("SELECT host(inet_server_addr())", Patience))[0];

    /// <summary>Where a fresh session's statements reach; waits as long as PgBouncer lets it wait.</summary>
    internal async Task<string?> FreshAsync()
    {
        using var session = await LoginAsync();
        return await WhereAsync(session);
    }

    internal Task AwaitPausedAsync(bool isPaused = true) => Wait.UntilAsync(
        async () => await Bouncer.IsPausedAsync("app") == isPaused, isPaused ? "clients to wait" : "clients to be served", detail: () => Bouncer.Log);

    /// <summary>A lane under test.</summary>
    internal sealed class SteeredLane : IDisposable
    {
        private readonly ConcurrentQueue<PointApplied> told = new();
        private readonly PgbouncerLane lane;

        public SteeredLane(PgbouncerLab lab, PgbouncerServer bouncer)
        {
            Assert.True(PgbouncerEndpoint.TryParse(bouncer.Endpoint, out var endpoint, out var reason), reason);
            var target = lab.Target(bouncer);
            lane = new PgbouncerLane(endpoint!, target, new IncludeFile(target), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(100),
                () => lab.Lease, told.Enqueue, NullLogger.Instance);
            lane.Start();
        }

        public PgbouncerLane Lane => lane;

        public void Point(WriterPlace? place, long? term = null) => lane.Desire(new PointDesire(place, place?.Term ?? new Term(term ?? 1)));

        public void Hold(long term, TimeSpan span) => lane.Hold(new PoolHold(new Term(term), BootClock.Now + span));

        /// <summary>Waits until the lane's last word holds a text.</summary>
        public async Task<PointApplied> SaysAsync(string text)
        {
            await Wait.UntilAsync(
                () => told.LastOrDefault()?.Detail.Contains(text, StringComparison.Ordinal) == true,
                $"the lane to say {text}",
                detail: () => string.Join('\n', told.Select(one => one.Detail)));
            return told.Last();
        }

        public void Dispose() => lane.Dispose();
    }
}
