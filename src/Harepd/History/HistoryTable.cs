using System.Collections.Immutable;
using System.Globalization;
using Harepd.Clock;
using Harepd.Core.Model;
using Harepd.Postgres;
using Harepd.Postgres.Wire;
using Microsoft.Extensions.Logging;

namespace Harepd.History;

/// <summary>
/// Copies this node's decisions into the table <c>harepd.history</c> while its own server serves writers, so that every server has them. Best effort, by a thread of its own
/// that looks every two seconds: each statement has a deadline, a failure is said once and makes the next try later, up to five minutes, and nothing waits for it.
/// </summary>
internal sealed class HistoryTable : IDisposable
{
    private const int BatchSize = 100;
    private static readonly TimeSpan Rhythm = TimeSpan.FromSeconds(2);

    /// <summary>What was decided just now may belong to a failover that is not over; it has other things to do with the disk.</summary>
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(5);
    private readonly PostgresSettings _settings;
    private readonly string _node;
    private readonly Func<ImmutableQueue<HistoryLine>> _recent;
    private readonly Func<int> _rows;
    private readonly Func<bool> _isServing;
    private readonly ILogger _log;
    private readonly ManualResetEventSlim _ending = new();
    private readonly Thread _thread;
    private long? _writtenUpTo;
    private Instant _notBefore;
    private TimeSpan _pause = Rhythm;
    private string _said = "";

    /// <param name="settings">Of the local server; the table is in their database.</param>
    /// <param name="node">Whose lines.</param>
    /// <param name="recent">The lines, oldest first.</param>
    /// <param name="rows">How many the table keeps; 0 writes none.</param>
    /// <param name="isServing">The own server is the primary, with its gate open.</param>
    /// <param name="log">Told of a failure once, and of its end.</param>
    public HistoryTable(PostgresSettings settings, string node, Func<ImmutableQueue<HistoryLine>> recent, Func<int> rows, Func<bool> isServing, ILogger log)
    {
        (_settings, _node, _recent, _rows, _isServing, _log) = (settings, node, recent, rows, isServing, log);
        _thread = new Thread(Run) { Name = "history-table", IsBackground = true, Priority = ThreadPriority.BelowNormal };
        _thread.Start();
    }

    public void Dispose()
    {
        _ending.Set();
        if (_thread.Join(TimeSpan.FromSeconds(1)))
        {
            _ending.Dispose();
        }
    }

    private void Run()
    {
        while (!_ending.Wait(Rhythm))
        {
            if (_rows() == 0 || !_isServing())
            {
                // Who served meanwhile may have restored the table; it is asked anew.
                _writtenUpTo = null;
            }
            else if (BootClock.Now >= _notBefore && Pending() is { Count: > 0 } pending)
            {
                Settle(Write(pending));
            }
        }
    }

    private List<HistoryLine> Pending()
    {
        var calm = HistorySql.Micros(DateTime.UtcNow - Calm);
        return [.. _recent().Where(line => HistorySql.Micros(line.Time) > (_writtenUpTo ?? 0)).TakeWhile(line => HistorySql.Micros(line.Time) <= calm)];
    }

    /// <summary>Null when it is done, otherwise why not.</summary>
    private string? Write(List<HistoryLine> pending)
    {
        var deadline = BootClock.Now + 2 * _settings.HangTimeout;
        using var session = PgSession.TryOpen(_settings.Endpoint("history", Limits()), deadline, out var fault);
        if (session is null)
        {
            return fault!.ToString();
        }

        if (_writtenUpTo is null)
        {
            var newest = session.Query(HistorySql.Newest(_node), deadline);
            if (newest.Fault is { SqlState: PgFault.UndefinedTable or PgFault.UndefinedSchema })
            {
                newest = session.Query(HistorySql.Create, deadline);
            }

            if (newest.Fault is { } trouble)
            {
                return trouble.ToString();
            }

            _writtenUpTo = long.TryParse(newest.Value, CultureInfo.InvariantCulture, out var micros) ? micros : 0;
            pending = Pending();
        }

        foreach (var batch in pending.Chunk(BatchSize))
        {
            if (session.Query(HistorySql.Insert(batch), deadline).Fault is { } trouble)
            {
                return trouble.ToString();
            }

            _writtenUpTo = HistorySql.Micros(batch[^1].Time);
        }

        return session.Query(HistorySql.Prune(_rows()), deadline).Fault?.ToString();
    }

    private void Settle(string? trouble)
    {
        if (trouble is null)
        {
            _pause = Rhythm;
            if (_said.Length > 0)
            {
                _log.LogInformation(new EventId(9036, "HistoryTableKept"), "harepd.history is kept again");
            }

            _said = "";
            return;
        }

        _notBefore = BootClock.Now + _pause;
        _pause = _pause * 2 < LongestPause ? _pause * 2 : LongestPause;
        if (trouble != _said)
        {
            _log.LogWarning(new EventId(9035, "HistoryTableNotKept"), "harepd.history cannot be kept: {Reason}; harepd init-sql writes what it needs", trouble);
        }

        _said = trouble;
    }

    private KeyValuePair<string, string>[] Limits()
    {
        var millis = Math.Max(1, (long)_settings.HangTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        return
        [
            new("statement_timeout", millis), new("lock_timeout", millis), new("standard_conforming_strings", "on"),

            // A synchronous standby that is missing just now must not keep this waiting.
            new("synchronous_commit", "local"),
        ];
    }
}
