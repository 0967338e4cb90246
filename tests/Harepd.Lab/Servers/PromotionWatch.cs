using System.Globalization;
using Harepd.Core.Model;
using Harepd.Lab.Machine;
using Npgsql;

namespace Harepd.Lab.Servers;

/// <summary>Sees when a standby is promoted: asked for it, and out of recovery.</summary>
public static class PromotionWatch
{
    /// <summary>Begins to poll a standby every millisecond; the task ends with the moment it was first seen out of recovery.</summary>
    public static Task<Instant> Start(PostgresServer standby, TimeSpan? limit = null) => Task.Run(async () =>
    {
        await using var connection = new NpgsqlConnection(standby.ConnectionString());
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT pg_is_in_recovery()", connection);
        var seen = Instant.Zero;
        await Wait.UntilAsync(
            async () =>
            {
                var inRecovery = (bool)(await command.ExecuteScalarAsync())!;
                seen = LabClock.Now;
                return !inRecovery;
            },
            $"the promotion of {standby.Name}",
            limit,
            poll: TimeSpan.FromMilliseconds(1),
            detail: () => standby.Log);
        return seen;
    });

    /// <summary>When the server logged its last promotion request, to a millisecond.</summary>
    /// <exception cref="LabException">It never did.</exception>
    public static Instant LastRequest(PostgresServer server)
    {
        var line = server.Log.Split('\n').LastOrDefault(line => line.Contains("received promote request", StringComparison.Ordinal))
            ?? throw new LabException($"{server.Name} was never asked to promote");
        // log_line_prefix begins with %m and log_timezone is UTC: 2026-01-31 12:00:00.123 UTC.
        var time = DateTimeOffset.ParseExact(line[..23], "yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        return LabClock.FromUtc(time);
    }

    /// <summary>Where each timeline before a primary's own was left, from the timeline history file; its own has no end.</summary>
    public static async Task<IReadOnlyDictionary<uint, Lsn>> TimelineEndsAsync(PostgresServer primary)
    {
        var name = await primary.ScalarAsync<string>("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8)");
        var own = uint.Parse(name, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        var ends = new Dictionary<uint, Lsn> { [own] = new(ulong.MaxValue) };
        if (own == 1)
        {
            return ends;
        }

        // Lines "parent TLI, switch LSN, reason", tab-separated, oldest first.
        var history = await primary.ScalarAsync<string>($"SELECT pg_read_file('pg_wal/{name}.history')");
        foreach (var fields in history.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')))
        {
            if (fields.Length < 2 || !Lsn.TryParse(fields[1], out var lsn))
            {
                throw new LabException($"{primary.Name}: unreadable history of timeline {own}");
            }

            ends[uint.Parse(fields[0], CultureInfo.InvariantCulture)] = lsn;
        }

        return ends;
    }
}
