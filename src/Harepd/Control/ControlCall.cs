using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Harepd.Control;

/// <summary>The other end of <see cref="ControlDoor"/>: gives one order to the daemon of this host and hands on its answers.</summary>
internal static class ControlCall
{
    /// <summary>The answers as they come; the last is <c>ended</c> or <c>error</c>. An error too where nobody answers.</summary>
    public static async IAsyncEnumerable<ControlAnswer> AskAsync(string runDir, ControlRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        var path = Path.Combine(runDir, ControlDoor.FileName);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        if (await TryAsync(async () => await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop)) is { } refusal)
        {
            yield return new ControlAnswer("error", Detail: $"the daemon of this node does not answer at {path}: {refusal}");
            yield break;
        }

        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(request, ControlJson.Default.ControlRequest), (byte)'\n'];
        var lost = await TryAsync(async () => await stream.WriteAsync(line, stop));
        while (lost is null)
        {
            string? text = null;
            lost = await TryAsync(async () => text = await reader.ReadLineAsync(stop));
            if (text is null || JsonSerializer.Deserialize(text, ControlJson.Default.ControlAnswer) is not { } answer)
            {
                break;
            }

            yield return answer;
            if (answer.Event is "ended" or "error")
            {
                yield break;
            }
        }

        yield return new ControlAnswer("error", Detail: $"the daemon ended the conversation{(lost is null ? "" : $" ({lost})")}; what was ordered may go on: see its log");
    }

    private static async Task<string?> TryAsync(Func<Task> act)
    {
        try
        {
            await act();
            return null;
        }
        catch (Exception error) when (error is SocketException or IOException or ArgumentException)
        {
            return error.Message;
        }
    }
}
