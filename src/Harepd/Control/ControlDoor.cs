using System.Net.Sockets;
using System.Text.Json;
using System.Threading.Channels;
using Harepd.Files;
using Microsoft.Extensions.Logging;

namespace Harepd.Control;

/// <summary>
/// The local door for an operator's orders: a unix socket in the run folder that only the daemon's own user and root can open (ADR 0014). One order a connection;
/// its answers are lines until the end. Bounded in connections, in the length of a request, and in the time that it may take to come.
/// </summary>
internal sealed class ControlDoor : IAsyncDisposable
{
    public const string FileName = "control.sock";
    private const int MostConnections = 8;
    private const int MostRequestBytes = 4096;
    private static readonly TimeSpan _retryAccept = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(5);

    private readonly Socket _listener;
    private readonly string _path;
    private readonly Func<ControlRequest, ChannelWriter<ControlAnswer>, string?> _take;
    private readonly ILogger _log;
    private readonly CancellationTokenSource _closing = new();
    private int _connections;

    private ControlDoor(Socket listener, string path, Func<ControlRequest, ChannelWriter<ControlAnswer>, string?> take, ILogger log)
    {
        (_listener, _path, _take, _log) = (listener, path, take, log);
        _ = AcceptAsync();
    }

    /// <summary>Listens, or says why not.</summary>
    /// <param name="runDir">Where the socket is made; one of an earlier run is replaced.</param>
    /// <param name="take">Takes an order and writes its answers until it completes the channel; a reason refuses it. Must not block.</param>
    /// <param name="log">Told of orders.</param>
    /// <param name="error">Why there is no door.</param>
    public static ControlDoor? TryOpen(string runDir, Func<ControlRequest, ChannelWriter<ControlAnswer>, string?> take, ILogger log, out string? error)
    {
        var path = Path.Combine(runDir, FileName);
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // The caller has the node's locks: what lies here is a dead run's. It is bound under another name and shown with its rights already set.
            var fresh = path + ".new";
            File.Delete(fresh);
            listener.Bind(new UnixDomainSocketEndPoint(fresh));
            File.SetUnixFileMode(fresh, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            listener.Listen(MostConnections);
            if (Posix.Rename(fresh, path) != 0)
            {
                throw new IOException(Posix.LastError.Text);
            }

            error = null;
            return new ControlDoor(listener, path, take, log);
        }
        catch (Exception failure) when (failure is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            listener.Dispose();
            error = $"{path}: {failure.Message}";
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        _listener.Dispose();
        File.Delete(_path);
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                var connection = await _listener.AcceptAsync(_closing.Token);
                if (Interlocked.Increment(ref _connections) > MostConnections)
                {
                    Interlocked.Decrement(ref _connections);
                    connection.Dispose();
                    continue;
                }

                _ = ServeAsync(connection);
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                // A caller that went away, or no descriptor is left: that does not pass by asking again at once.
                await Task.Delay(_retryAccept);
            }
        }
    }

    private async Task ServeAsync(Socket connection)
    {
        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
            patience.CancelAfter(RequestLimit);
            var request = await ReadAsync(stream, patience.Token);
            if (request is null)
            {
                await WriteAsync(stream, new ControlAnswer("error", Detail: "this is no order of this version of harepd"), patience.Token);
                return;
            }

            _log.LogInformation(new EventId(190, "Ordered"), "ordered at the local door: {Verb} {To}{DryRun}", request.Verb, request.To, request.DryRun ? " (dry run)" : "");
            var answers = Channel.CreateUnbounded<ControlAnswer>(new UnboundedChannelOptions { SingleReader = true });
            if (_take(request, answers.Writer) is { } refusal)
            {
                await WriteAsync(stream, new ControlAnswer("error", Detail: refusal), _closing.Token);
                return;
            }

            await foreach (var answer in answers.Reader.ReadAllAsync(_closing.Token))
            {
                await WriteAsync(stream, answer, _closing.Token);
            }
        }
        catch (Exception error) when (error is IOException or SocketException or OperationCanceledException)
        {
            // Whoever ordered went away; what was ordered goes on.
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    private static async Task<ControlRequest?> ReadAsync(NetworkStream stream, CancellationToken token)
    {
        var line = new byte[MostRequestBytes];
        var length = 0;
        while (length < line.Length && line.AsSpan(0, length).IndexOf((byte)'\n') < 0)
        {
            var read = await stream.ReadAsync(line.AsMemory(length), token);
            if (read == 0)
            {
                return null;
            }

            length += read;
        }

        try
        {
            var end = line.AsSpan(0, length).IndexOf((byte)'\n');
            return end < 0 ? null : JsonSerializer.Deserialize(line.AsSpan(0, end), ControlJson.Default.ControlRequest);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task WriteAsync(NetworkStream stream, ControlAnswer answer, CancellationToken token) =>
        await stream.WriteAsync((byte[])[.. JsonSerializer.SerializeToUtf8Bytes(answer, ControlJson.Default.ControlAnswer), (byte)'\n'], token);
}
