using System.Globalization;
using System.Text;

namespace Harepd.History;

/// <summary>The statements of the table <c>harepd.history</c>. Written for PostgreSQL 12 and later, with standard_conforming_strings.</summary>
internal static class HistorySql
{
    /// <summary>Makes schema and table where they are missing; also what <c>harepd init-sql</c> writes.</summary>
    public const string Create = """
        create schema if not exists harepd;
        create table if not exists harepd.history (
            id bigint generated always as identity primary key,
            at timestamptz not null, node text not null, kind text not null, event integer not null, term bigint not null, actor text not null,
            state_before text, state_after text, reason text, took_ms double precision,
            timeline bigint, switch_lsn pg_lsn, lsn pg_lsn, votes_yes integer, votes_no integer,
            unique (node, at, kind));
        """;

    /// <summary>One row, one column: the newest moment of a node in the table, in microseconds of the unix epoch; null for none.</summary>
    public static string Newest(string node) => $"select (extract(epoch from max(at)) * 1000000)::bigint from harepd.history where node = {Text(node)}";

    /// <summary>Adds lines; those that are there already are left as they are.</summary>
    public static string Insert(IEnumerable<HistoryLine> lines)
    {
        var sql = new StringBuilder(
            "insert into harepd.history (at, node, kind, event, term, actor, state_before, state_after, reason, took_ms, timeline, switch_lsn, lsn, votes_yes, votes_no) values ");
        var comma = "";
        foreach (var line in lines)
        {
            string[] values =
            [
                $"timestamptz 'epoch' + {Micros(line.Time)} * interval '1 microsecond'", Text(line.Node), Text(line.Kind), Number(line.Event), Number(line.Term), Text(line.Actor ?? ""),
                Text(line.From), Text(line.To), Text(line.Reason), line.TookMs?.ToString("R", CultureInfo.InvariantCulture) ?? "null",
                line.Timeline == 0 ? "null" : Number(line.Timeline), Text(line.SwitchLsn), Text(line.Lsn), Number(line.VotesYes), Number(line.VotesNo),
            ];
            sql.Append(comma).Append('(').AppendJoin(", ", values).Append(')');
            comma = ", ";
        }

        return sql.Append(" on conflict do nothing").ToString();
    }

    /// <summary>Leaves about the newest so many rows.</summary>
    public static string Prune(int rows) => string.Create(CultureInfo.InvariantCulture, $"delete from harepd.history where id <= (select max(id) from harepd.history) - {rows}");

    /// <summary>A moment as PostgreSQL keeps it: a tenth of a microsecond is lost.</summary>
    public static long Micros(DateTime atUtc) => (atUtc - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "null";

    private static string Text(string? text) => text is null ? "null" : $"'{text.Replace("'", "''", StringComparison.Ordinal).Replace("\0", "", StringComparison.Ordinal)}'";
}
