using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using Harepd.Core.Model;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;

namespace Harepd.Lab.Clients;

/// <summary>
/// Clients that never stop writing through one address: each write has an id of its own, and each attempt is recorded with its times and
/// what became of it. A failed session is replaced at once, as a pool would.
/// </summary>
public sealed class Writer : IAsyncDisposable
{
    private readonly string address;
    private readonly int port;
    private readonly WriterOptions options;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentQueue<WriteAttempt> attempts = new();
    private readonly Task clients;
    private long nextId;

    private Writer(string address, int port, int number, WriterOptions options)
    {
        this.address = address;
        this.port = port;
        this.options = options;
        // Each writer has its own range, so that several may write to one table.
        nextId = number * 1_000_000_000L;
        clients = Task.WhenAll(Enumerable.Range(0, options.Clients).Select(client => Task.Run(() => RunClientAsync(client))));
    }

    /// <summary>Everything attempted so far, in the order of completion; a copy.</summary>
    public IReadOnlyList<WriteAttempt> Attempts => attempts.ToArray();

    /// <summary>The last attempt; null before the first.</summary>
    public WriteAttempt? Last => attempts.LastOrDefault();

    /// <summary>Begins to write.</summary>
    /// <param name="number">Distinguishes the ids of several writers; 0 to 1,000.</param>
    public static Writer Start(string address, int port, int number = 0, WriterOptions? options = null) =>
        new(address, port, number, options ?? new WriterOptions());

    /// <summary>Waits for a write that was acknowledged after a moment; returns the first one.</summary>
    /// <param name="server">Only writes of this server count; null: of any.</param>
    /// <exception cref="LabException">None within the limit.</exception>
    public async Task<WriteAttempt> FirstAfterAsync(Instant after, TimeSpan? limit = null, PostgresServer? server = null)
    {
        WriteAttempt? found = null;
        var name = server is null ? null : $"{server.Address}:{server.Port}";
        await Wait.UntilAsync(
            () => (found = attempts.FirstOrDefault(attempt =>
                attempt.IsAcknowledged && attempt.End > after && (name is null || attempt.Server == name))) is not null,
            $"a write through {address}:{port}{(name is null ? "" : $" at {name}")}",
            limit,
            detail: () => $"last error: {attempts.LastOrDefault()?.Error}");
        return found!;
    }

    /// <summary>Stops and waits for the last answers.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        await clients;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stop.Dispose();
    }

    private async Task RunClientAsync(int client)
    {
        var pace = TimeSpan.FromSeconds((double)options.Clients / Math.Clamp(options.Rate, 1, 1000));
        var next = LabClock.Now + (pace * client / options.Clients);
        WireSession? session = null;
        while (!stop.IsCancellationRequested && attempts.Count < options.MaxAttempts)
        {
            await PauseUntilAsync(next);
            session = await AttemptAsync(session);
            var hasFailed = session is null;
            if (!options.KeepSession)
            {
                session?.Dispose();
                session = null;
            }

            // A client that was held up goes on at its pace; it does not make up for lost time.
            next = hasFailed && options.RetryPause is { } retry ? LabClock.Now + retry : Instant.Max(next + pace, LabClock.Now);
        }

        session?.Dispose();
    }

    // Returns the session for the next attempt; null after a failure.
    private async Task<WireSession?> AttemptAsync(WireSession? session)
    {
        var id = Interlocked.Increment(ref nextId);
        var begin = LabClock.Now;
        try
        {
            session ??= await WireSession.LoginAsync(address, port, options.User, options.Database, options.ConnectLimit, options.From);
            var row = await session.QueryAsync(
                $"INSERT INTO lab_writes VALUES ({id}) RETURNING host(inet_server_addr()), inet_server_port(), "
                + "pg_current_wal_insert_lsn(), left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)",
                options.CommandLimit);
            if (row.Count != 4 || !Lsn.TryParse(row[2], out var lsn))
            {
                throw new WireException("protocol", "an answer without a row");
            }

            var timeline = uint.Parse(row[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            attempts.Enqueue(new WriteAttempt(id, begin, LabClock.Now, $"{row[0]}:{row[1]}", timeline, lsn, ""));
            return session;
        }
        catch (WireException e) when (options.OutlivesErrors && session is not null && e is { IsFatal: false, State: not ("eof" or "protocol") })
        {
            attempts.Enqueue(new WriteAttempt(id, begin, LabClock.Now, "", 0, default, e.Message));
            return session;
        }
        catch (Exception e) when (e is SocketException or WireException or OperationCanceledException)
        {
            attempts.Enqueue(new WriteAttempt(id, begin, LabClock.Now, "", 0, default, e is OperationCanceledException ? "timeout" : e.Message));
            session?.Dispose();
            return null;
        }
    }

    private static async Task PauseUntilAsync(Instant moment)
    {
        var pause = moment - LabClock.Now;
        if (pause > TimeSpan.Zero)
        {
            await Task.Delay(pause);
        }
    }
}
