using System.Collections.Immutable;
using Harepd.History;
using Harepd.Tests.Peers;
using Harepd.Tests.Postgres;
using Harepd.Tests.Watch;
using Xunit;

namespace Harepd.Tests.History;

/// <summary>The history's table on a real server.</summary>
public sealed class HistoryTableTests : IDisposable
{
    private readonly TestServer _server = TestServer.Start("127.30.9.1");
    private readonly ListLog _log = new();
    private ImmutableQueue<HistoryLine> _lines = [];
    private volatile bool _isServing = true;
    private volatile int _rows = 1000;

    public void Dispose() => _server.Dispose();

    private static HistoryLine Line(int number, string reason = "because") => new()
    {
        Time = new DateTime(2026, 11, 27, 12, 0, 0, DateTimeKind.Utc).AddSeconds(number).AddTicks(7),
        Node = "no'de",
        Kind = "PromotionDone",
        Event = 203,
        Term = number,
        Actor = "daemon",
        Reason = reason,
        TookMs = 1.5,
        Timeline = 2,
        SwitchLsn = "0/3000148",
        Lsn = "0/3000200",
        VotesYes = 2,
    };

    private HistoryTable Table() => new(WatchRecord.SettingsOf(_server), "no'de", () => _lines, () => _rows, () => _isServing, _log);

    private string Count() => _server.Query("select case when to_regclass('harepd.history') is null then -1 else 0 end") == "-1" ? "" : _server.Query("select count(*) from harepd.history");

    [Fact]
    public void Lines_are_written_once_over_restarts_too_as_they_are()
    {
        _lines = [Line(1, "it's \\ a 'reason'"), Line(2)];
        using (Table())
        {
            Eventually.True(() => Count() == "2", "two rows");
        }

        _lines = _lines.Enqueue(Line(3));
        using var again = Table();
        Eventually.True(() => Count() == "3", "the third row");

        Assert.Equal(
            "2026-11-27 12:00:01+00|no'de|PromotionDone|203|1|daemon||it's \\ a 'reason'|1.5|2|0/3000148|0/3000200|2|",
            _server.Query("""
                set timezone to 'UTC';
                select concat_ws('|', at, node, kind, event, term, actor, coalesce(state_before, ''), reason, took_ms, timeline, switch_lsn, lsn, votes_yes, coalesce(votes_no::text, ''))
                from harepd.history order by id limit 1
                """));
    }

    [Fact]
    public void A_node_that_does_not_serve_writes_nothing_and_catches_up_when_it_does()
    {
        _isServing = false;
        _lines = [Line(1)];
        using var table = Table();
        Thread.Sleep(TimeSpan.FromSeconds(3));
        Assert.Equal("", Count());

        _isServing = true;
        Eventually.True(() => Count() == "1", "the row");
    }

    [Fact]
    public void Old_rows_make_room()
    {
        _rows = 10;
        _lines = [.. Enumerable.Range(1, 350).Select(number => Line(number))];
        using var table = Table();

        Eventually.True(() => Count() == "10", "ten rows");
        Assert.Equal("341", _server.Query("select min(term) from harepd.history"));
    }

    [Fact]
    public void A_refusal_is_said_once_and_tried_again()
    {
        _server.Query("create role harepd login");
        _lines = [Line(1)];
        using var table = new HistoryTable(WatchRecord.SettingsOf(_server) with { User = "harepd" }, "no'de", () => _lines, () => _rows, () => true, _log);
        Eventually.True(() => _log.Lines.Any(line => line.Contains("cannot be kept", StringComparison.Ordinal)), "the refusal is said");

        _server.Query(HistorySql.Create + "; grant usage on schema harepd to harepd; grant select, insert, delete on harepd.history to harepd");
        Eventually.True(() => Count() == "1", "the row");
        Eventually.True(() => _log.Lines.Any(line => line.Contains("kept again", StringComparison.Ordinal)), "its end is said");
        Assert.Single(_log.Lines, line => line.Contains("cannot be kept", StringComparison.Ordinal));
    }
}
