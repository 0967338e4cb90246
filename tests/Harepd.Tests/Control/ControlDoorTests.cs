using System.Net.Sockets;
using System.Text;
using Harepd.Control;
using Harepd.Core;
using Harepd.Core.Act;
using Harepd.Tests.Files;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Harepd.Tests.Control;

/// <summary>The local door: who may open it, what it takes, and what it says.</summary>
public sealed class ControlDoorTests
{
    [Fact]
    public async Task Only_its_owner_can_open_the_door_and_a_dead_runs_socket_is_replaced()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, ControlDoor.FileName);
        await File.WriteAllTextAsync(path, "of an earlier run");

        await using var door = Open(folder.Path, new ControlDesk(_ => true));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task An_order_is_answered_line_by_line_until_its_end()
    {
        using var folder = new TemporaryFolder();
        Input.MoveOrdered? ordered = null;
        ControlDesk? desk = null;
        desk = new ControlDesk(input =>
        {
            ordered = (Input.MoveOrdered)input;
            desk!.Tell(new MoveEvent(ordered.Order.Id + 1, MoveEventKind.Problem, "another's", TimeSpan.Zero, ""));
            desk.Tell(new MoveEvent(ordered.Order.Id, MoveEventKind.StepDone, "Prepare", TimeSpan.FromMilliseconds(5), "done"));
            desk.Tell(new MoveEvent(ordered.Order.Id, MoveEventKind.Ended, "Moved", TimeSpan.FromMilliseconds(9), "") { Pause = TimeSpan.FromMilliseconds(3) });
            return true;
        });
        await using var door = Open(folder.Path, desk);

        var answers = await AskAsync(folder.Path, new ControlRequest("switchover", "b", 5000));

        Assert.Equal([new ControlAnswer("done", "Prepare", 5, 0, "done"), new ControlAnswer("ended", "Moved", 9, 3)], answers);
        Assert.Equal(("b", TimeSpan.FromSeconds(5), false), (ordered!.Order.To, ordered.Order.Pause, ordered.Order.IsDryRun));
    }

    [Theory]
    [InlineData("switchover", 10)]
    [InlineData("dance", 0)]
    public async Task What_is_no_order_is_refused_and_goes_no_further(string verb, double pause)
    {
        using var folder = new TemporaryFolder();
        await using var door = Open(folder.Path, new ControlDesk(_ => throw new InvalidOperationException("it must not come this far")));

        var answers = await AskAsync(folder.Path, new ControlRequest(verb, PauseMs: pause));

        Assert.Equal("error", Assert.Single(answers).Event);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n\r\n")]
    [InlineData("{\"verb\":17}\n")]
    [InlineData("null\n")]
    public async Task Garbage_is_answered_and_the_door_stays_open(string garbage)
    {
        using var folder = new TemporaryFolder();
        await using var door = Open(folder.Path, new ControlDesk(_ => true));
        using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(folder.Path, ControlDoor.FileName)));
            await socket.SendAsync(Encoding.UTF8.GetBytes(garbage));
            await using var stream = new NetworkStream(socket);
            using var reader = new StreamReader(stream);
            Assert.Contains("error", await reader.ReadLineAsync(), StringComparison.Ordinal);
        }

        Assert.Equal("ended", Assert.Single(await AskAsync(folder.Path, new ControlRequest("cancel"))).Event);
    }

    [Fact]
    public async Task Without_a_daemon_the_caller_is_told_where_it_was_looked_for()
    {
        using var folder = new TemporaryFolder();

        var answer = Assert.Single(await AskAsync(folder.Path, new ControlRequest("cancel")));

        Assert.Equal("error", answer.Event);
        Assert.Contains(folder.Path, answer.Detail, StringComparison.Ordinal);
    }

    private static ControlDoor Open(string folder, ControlDesk desk)
    {
        var door = ControlDoor.TryOpen(folder, desk.Take, NullLogger.Instance, out var error);
        Assert.Null(error);
        return door!;
    }

    private static async Task<List<ControlAnswer>> AskAsync(string folder, ControlRequest request)
    {
        var answers = new List<ControlAnswer>();
        await foreach (var answer in ControlCall.AskAsync(folder, request, CancellationToken.None))
        {
            answers.Add(answer);
        }

        return answers;
    }
}
