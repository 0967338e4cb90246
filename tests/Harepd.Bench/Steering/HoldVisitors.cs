using System.Collections.Concurrent;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Npgsql;

namespace Harepd.Bench.Steering;

/// <summary>Clients that come through HAProxy one after the other, ask which server they got, and leave. Each is a new connection.</summary>
internal sealed class HoldVisitors : IAsyncDisposable
{
    private const int Workers = 2;
    private const int MostErrors = 100;
    private readonly string _way;
    private readonly ConcurrentQueue<(Instant Came, Instant Done, string Server)> _visits = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _workers;
    private int _count;

    public HoldVisitors(HaproxyServer haproxy)
    {
        _way = $"Host={haproxy.Address};Port={haproxy.WritePort};Username=app;Database=app;Pooling=false;Timeout=15";
        _workers = [.. Enumerable.Range(0, Workers).Select(_ => Task.Run(VisitAsync))];
    }

    public IReadOnlyList<string> Errors => [.. _errors];

    public int Visits => _count;

    /// <summary>When the first client that came after a moment had its answer from this server.</summary>
    public async Task<Instant> FirstAtAsync(PostgresServer server, Instant since)
    {
        var done = Instant.Zero;
        await Wait.UntilAsync(
            () =>
            {
                var found = _visits.Where(visit => visit.Came >= since && visit.Server == server.Address).Select(visit => visit.Done).Order().FirstOrDefault();
                done = found;
                return Task.FromResult(found > Instant.Zero);
            },
            $"a client at {server.Name}",
            poll: TimeSpan.FromMilliseconds(1));
        _visits.Clear();
        return done;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_workers);
        _stop.Dispose();
    }

    private async Task VisitAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var came = BootClock.Now;
            try
            {
                await using var connection = new NpgsqlConnection(_way);
                await connection.OpenAsync();
                await using var ask = new NpgsqlCommand("SELECT host(inet_server_addr())", connection);
                _visits.Enqueue((came, BootClock.Now, (string)(await ask.ExecuteScalarAsync())!));
                Interlocked.Increment(ref _count);
            }
            catch (NpgsqlException failure) when (_errors.Count < MostErrors)
            {
                _errors.Enqueue(failure.Message);
            }
        }
    }
}
