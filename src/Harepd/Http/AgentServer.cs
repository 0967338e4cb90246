using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Harepd.Clock;

namespace Harepd.Http;

/// <summary>
/// Answers HAProxy's <c>agent-check</c> (configuration manual, "agent-check"): one line a connection, <c>up</c> or
/// <c>down</c> with the reason. <c>agent-send "read\n"</c> asks for reads; anything else, or nothing, asks for writes.
/// It never says <c>ready</c>, <c>maint</c> or <c>drain</c>: those latch the administrative state and would undo an operator's.
/// HAProxy keeps the last answer of an agent that is gone, so an agent alone does not fail closed: use it beside httpchk.
/// </summary>
internal sealed class AgentServer : IAsyncDisposable
{
    private const int MostConnections = 256;
    private static readonly TimeSpan _retryAccept = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan QuestionTime = TimeSpan.FromMilliseconds(50);
    private readonly Func<NodeStatus?> _status;
    private readonly TimeSpan _heartbeatLimit;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _slots = new(MostConnections);
    private readonly Task _accepting;

    private AgentServer(Socket listener, Func<NodeStatus?> status, TimeSpan heartbeatLimit)
    {
        _listener = listener;
        _status = status;
        _heartbeatLimit = heartbeatLimit;
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens; the port is the kernel's choice where 0 was asked for.</summary>
    public IPEndPoint EndPoint { get; }

    /// <summary>Listens, or throws.</summary>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static AgentServer Start(StatusServerOptions options, Func<NodeStatus?> status)
    {
        var listener = new Socket(options.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(options.EndPoint);
            listener.Listen(128);
            return new AgentServer(listener, status, options.HeartbeatLimit);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
        _slots.Dispose();
    }

    /// <summary>The line for a question; pure but for the clock.</summary>
    internal static string Line(bool isReadQuestion, NodeStatus? status, Core.Model.Instant now, TimeSpan heartbeatLimit)
    {
        var isUp = HealthRules.IsOk(isReadQuestion ? "/read-only" : "/primary", HealthQuery.None, status, now, heartbeatLimit);
        if (isUp)
        {
            return "up\n";
        }

        // The space counts: HAProxy takes "down#reason" for an unknown word and changes nothing (measured on 2.6), which is fail-open.
        var reason = status is null ? "starting" : status.Reason;
        var clean = string.Concat(reason.Take(80).Select(c => c is > ' ' and <= '~' and not ',' and not '#' ? c : ' ')).Trim();
        return clean.Length == 0 ? "down\n" : $"down #{clean}\n";
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await _slots.WaitAsync(_stop.Token);
                var client = await _listener.AcceptAsync(_stop.Token);
                _ = AnswerAsync(client);
            }
            catch (SocketException)
            {
                // One connection failed while it was being accepted, or no descriptor is left: that does not pass by asking again at once.
                _slots.Release();
                await Task.Delay(_retryAccept);
            }
            catch (Exception ex) when (ex is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(Socket client)
    {
        using (client)
        {
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                limit.CancelAfter(TimeSpan.FromSeconds(2));
                var isRead = await AsksForReadsAsync(client, limit.Token);
                var line = Line(isRead, _status(), BootClock.Now, _heartbeatLimit);
                await client.SendAsync(Encoding.ASCII.GetBytes(line), limit.Token);
                client.Shutdown(SocketShutdown.Both);
            }
            catch (Exception ex) when (ex is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // HAProxy went away; it asks again.
            }
            finally
            {
                Free();
            }
        }
    }

    /// <summary>Waits briefly for a question: HAProxy sends its <c>agent-send</c> text at once or not at all.</summary>
    private static async Task<bool> AsksForReadsAsync(Socket client, CancellationToken token)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(64);
        try
        {
            using var brief = CancellationTokenSource.CreateLinkedTokenSource(token);
            brief.CancelAfter(QuestionTime);
            var read = await client.ReceiveAsync(buffer.AsMemory(0, 64), brief.Token);
            return Encoding.ASCII.GetString(buffer, 0, read).Trim() is "read" or "read-only" or "replica";
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Free()
    {
        try
        {
            _slots.Release();
        }
        catch (ObjectDisposedException)
        {
            // Stopped meanwhile.
        }
    }
}
