using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Harepd.Control;
using Harepd.Core.Model;
using Harepd.Lab.Clients;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Npgsql;

namespace Harepd.Bench.Steering;

/// <summary>
/// A planned move, <c>harepd switchover</c>, and the same steps by hand without a check: hold, fast stop, <c>pg_promote</c>, open. The pause is the longest time
/// without an acknowledged write of clients that write through HAProxy all the time. On a cluster of its own, in which harepd promotes.
/// </summary>
internal sealed class MoveScenario : IScenario
{
    private const int Block = 5;
    private static readonly WriterOptions Clients = new() { Clients = 2, Rate = 200, RetryPause = TimeSpan.FromMilliseconds(1), ConnectLimit = TimeSpan.FromSeconds(10) };

    public string Name => "move";

    public async Task<IReadOnlyList<Comparison>> RunAsync(SteeringLab lab, BenchOptions options)
    {
        await using var own = await SteeringLab.StartAsync(harepdPromotes: true, options.ThreeDataNodes);
        var (byHand, byHarepd) = (new List<double>(), new List<double>());
        await using var writer = own.Cluster.WriteThroughHaproxy(Clients);
        while (byHarepd.Count < options.Rounds)
        {
            for (var left = Math.Min(Block, options.Rounds - byHand.Count); left > 0; left--)
            {
                await HandMade.TakeOverAsync(own);
                byHand.Add(await MeasureAsync("by hand", own, writer, () => ByHandAsync(own)));
                await own.ChangeRolesAsync();
                await own.LetOthersFollowAsync();
            }

            await own.StartDaemonsAsync();
            while (byHarepd.Count < byHand.Count)
            {
                await own.WaitForServiceAsync();
                await Wait.UntilAsync(
                    async () => (await OrderAsync(own, new ControlRequest("switchover", own.Standby.Name, DryRun: true))).Subject == "Possible", "a move to be possible", detail: own.Cluster.Describe);
                byHarepd.Add(await MeasureAsync("harepd", own, writer, () => ByHarepdAsync(own, options.Trace)));
                own.NoteRolesChanged();
            }

            await own.WaitForServiceAsync();
            await own.StopDaemonsAsync();
        }

        return [new Comparison("pause of clients that write through HAProxy, ms", Distribution.Of(byHand), Distribution.Of(byHarepd))];
    }

    private static async Task<double> MeasureAsync(string side, SteeringLab lab, Writer writer, Func<Task> move)
    {
        await RepmgrCluster.WaitForCatchUpAsync(lab.Standby.Server, lab.Primary.Server);
        await writer.FirstAfterAsync(LabClock.Now, server: lab.Primary.Server);
        var begun = LabClock.Now;
        await move();
        var first = await writer.FirstAfterAsync(begun, server: lab.Standby.Server);
        var pause = Analyser.LongestGap(writer.Attempts, begun, first.End)!.Value.TotalMilliseconds;
        SteeringLab.Tell(string.Create(CultureInfo.InvariantCulture, $"{side}: {pause:F1} ms"));
        return pause;
    }

    private static async Task ByHandAsync(SteeringLab lab)
    {
        const string backend = HaproxyServer.WriteBackend;
        await using var connection = new NpgsqlConnection(lab.Standby.Server.ConnectionString());
        await connection.OpenAsync();
        await using var look = new NpgsqlCommand("SELECT pg_is_in_recovery()", connection);
        await using var promote = new NpgsqlCommand("SELECT pg_promote(false)", connection);
        await look.ExecuteScalarAsync();
        await lab.Primary.Server.ExecuteAsync("CHECKPOINT");
        using var keeper = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await keeper.ConnectAsync(IPEndPoint.Parse(lab.Haproxy.Endpoint.Split("hold:tcp:")[1]));
        await keeper.SendAsync("hold"u8.ToArray());
        await lab.Haproxy.CommandAsync($"set weight {backend}/hold 1; set server {backend}/{lab.Primary.Name} state maint");
        var stopped = lab.Primary.Server.Postmaster!.Value;
        stopped.Send(Signal.Interrupt);
        await Wait.UntilAsync(() => !stopped.IsAlive, "the end of the old primary", poll: TimeSpan.FromMilliseconds(1));
        await promote.ExecuteScalarAsync();
        await Wait.UntilAsync(async () => await look.ExecuteScalarAsync() is false, "the promotion to be done", poll: TimeSpan.FromMilliseconds(1));
        HandMade.OpenGate(lab.Standby.Server);
        await lab.Haproxy.CommandAsync($"set server {backend}/{lab.Standby.Name} state ready; set weight {backend}/hold 0");
    }

    private static async Task ByHarepdAsync(SteeringLab lab, bool isTraced)
    {
        var begun = LabClock.Now;
        var last = await OrderAsync(lab, new ControlRequest("switchover", lab.Standby.Name));
        if (isTraced)
        {
            lab.Trace(begun);
        }

        if (last.Subject != "Moved")
        {
            throw new LabException($"the move failed: {last}");
        }
    }

    private static async Task<ControlAnswer> OrderAsync(SteeringLab lab, ControlRequest request)
    {
        var last = new ControlAnswer("none");
        await foreach (var answer in ControlCall.AskAsync(lab.Cluster.RunFolderOf(lab.Primary), request, CancellationToken.None))
        {
            last = answer;
        }

        return last;
    }
}
