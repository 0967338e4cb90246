using System.Globalization;
using Harepd.Core.Model;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Npgsql;

namespace Harepd.Bench.Steering;

/// <summary>
/// Somebody stops the primary and promotes the standby by <c>pg_promote</c>: how long until a client of HAProxy has its first write acknowledged.
/// Blocks of rounds by hand and blocks with the daemons take turns; the daemons are fresh at the start of each of their blocks.
/// </summary>
internal sealed class PromotionScenario : IScenario
{
    private const int Block = 5;

    // Enough clients, and not so soon again that their failed attempts take the processors away from what is measured.
    private static readonly WriterOptions Clients = new() { Clients = 2, Rate = 200, RetryPause = TimeSpan.FromMilliseconds(5) };

    public string Name => "promotion";

    public async Task<IReadOnlyList<Comparison>> RunAsync(SteeringLab lab, BenchOptions options)
    {
        var (byHand, byHarepd) = (new List<Round>(), new List<Round>());
        await using var writer = lab.Cluster.WriteThroughHaproxy(Clients);
        SteeringLab.Tell("one round by hand that does not count");
        await BlockAsync(1, [], () => ByHandAsync(lab, writer), lab);
        while (byHarepd.Count < options.Rounds)
        {
            await BlockAsync(Math.Min(Block, options.Rounds - byHand.Count), byHand, () => ByHandAsync(lab, writer), lab);
            await lab.StartDaemonsAsync();
            await BlockAsync(byHand.Count - byHarepd.Count, byHarepd, () => ByHarepdAsync(lab, writer, options.Trace), lab);
            await lab.StopDaemonsAsync();
        }

        return
        [
            Compare("request to first write, ms", round => round.RequestToWrite),
            Compare("request to writable, ms", round => round.RequestToWritable),
            Compare("writable to first write, ms", round => round.WritableToWrite),
        ];

        Comparison Compare(string measure, Func<Round, double> value) =>
            new(measure, Distribution.Of(byHand.Select(value)), Distribution.Of(byHarepd.Select(value)));
    }

    private static async Task BlockAsync(int count, List<Round> rounds, Func<Task<Round>> measure, SteeringLab lab)
    {
        for (var left = count; left > 0; left--)
        {
            var round = await measure();
            rounds.Add(round);
            SteeringLab.Tell(string.Create(
                CultureInfo.InvariantCulture, $"{round.Side} {rounds.Count}: {round.RequestToWrite:F1} ms from the request, {round.WritableToWrite:F1} ms from writable"));
            await lab.ChangeRolesAsync();
        }
    }

    private static async Task<Round> ByHandAsync(SteeringLab lab, Writer writer)
    {
        await HandMade.TakeOverAsync(lab);
        await writer.FirstAfterAsync(LabClock.Now, server: lab.Primary.Server);
        await lab.StopPrimaryAsync();
        await HandMade.CutAsync(lab.Haproxy, lab.Primary);
        return await PromoteAsync("by hand", lab, writer, async () =>
        {
            HandMade.OpenGate(lab.Standby.Server);
            await HandMade.SwitchAsync(lab.Haproxy, lab.Standby, lab.Primary);
        });
    }

    private static async Task<Round> ByHarepdAsync(SteeringLab lab, Writer writer, bool isTraced)
    {
        await lab.WaitForServiceAsync();
        await writer.FirstAfterAsync(LabClock.Now, server: lab.Primary.Server);
        await lab.StopPrimaryAsync();
        await Wait.UntilAsync(
            async () => (await lab.Haproxy.TakingTrafficAsync(HaproxyServer.WriteBackend)).Count == 0, "the old primary to be cut", detail: lab.Cluster.Describe);
        var round = await PromoteAsync("harepd", lab, writer, () => Task.CompletedTask);
        if (isTraced)
        {
            lab.Trace(round.RequestedAt);
        }

        return round;
    }

    /// <summary>Asks for the promotion, looks every millisecond whether it is done, then does what is left to do.</summary>
    private static async Task<Round> PromoteAsync(string side, SteeringLab lab, Writer writer, Func<Task> steer)
    {
        await using var connection = new NpgsqlConnection(lab.Standby.Server.ConnectionString());
        await connection.OpenAsync();
        await using var look = new NpgsqlCommand("SELECT pg_is_in_recovery()", connection);
        await using var promote = new NpgsqlCommand("SELECT pg_promote(false)", connection);
        await look.ExecuteScalarAsync();
        var requested = LabClock.Now;
        await promote.ExecuteScalarAsync();
        await Wait.UntilAsync(
            async () => await look.ExecuteScalarAsync() is false, "the promotion to be done", poll: TimeSpan.FromMilliseconds(1), detail: lab.Cluster.Describe);
        var writable = LabClock.Now;
        await steer();
        var first = await writer.FirstAfterAsync(requested, server: lab.Standby.Server);
        return new Round(side, requested, (writable - requested).TotalMilliseconds, (first.End - requested).TotalMilliseconds);
    }

    /// <summary>One promotion, by the clients' own records; durations in milliseconds.</summary>
    private sealed record Round(string Side, Instant RequestedAt, double RequestToWritable, double RequestToWrite)
    {
        public double WritableToWrite => RequestToWrite - RequestToWritable;
    }
}
