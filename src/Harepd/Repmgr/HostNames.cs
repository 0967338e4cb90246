using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Harepd.Clock;
using Harepd.Core.Model;

namespace Harepd.Repmgr;

/// <summary>
/// Resolves host names to IPv4 addresses, never waiting longer than told: what was known before serves while a question is under way or
/// failed. One question a name at a time, on a thread of its own, because the system's resolver cannot be interrupted. Thread-safe.
/// </summary>
/// <param name="patience">The longest a caller waits for a name that was never known.</param>
internal sealed class HostNames(TimeSpan patience)
{
    private const int MostNames = 256;
    private static readonly TimeSpan KeepFor = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan KeepFailureFor = TimeSpan.FromSeconds(5);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The IPv4 addresses of a name, sorted, those of other machines before loopback; empty when there is none or it is not known in time.</summary>
    public async ValueTask<ImmutableArray<IPAddress>> FindAsync(string name, CancellationToken token)
    {
        Task asking;
        lock (_gate)
        {
            if (!_names.TryGetValue(name, out var entry))
            {
                if (_names.Count >= MostNames)
                {
                    _names.Clear();
                }

                _names[name] = entry = new Entry();
            }

            if (entry.Asking is null && BootClock.Now >= entry.KeepUntil)
            {
                entry.Asking = Task.Factory.StartNew(() => Ask(name, entry), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }

            if (entry.Asking is null || !entry.Addresses.IsEmpty)
            {
                return entry.Addresses;
            }

            asking = entry.Asking;
        }

        await Task.WhenAny(asking, Task.Delay(patience, token));
        lock (_gate)
        {
            return _names.GetValueOrDefault(name)?.Addresses ?? [];
        }
    }

    private void Ask(string name, Entry entry)
    {
        ImmutableArray<IPAddress> found = [];
        try
        {
            found = [.. Dns.GetHostAddresses(name, AddressFamily.InterNetwork)
                .OrderBy(IPAddress.IsLoopback)
                .ThenBy(address => address.ToString(), StringComparer.Ordinal)];
        }
        catch (Exception error) when (error is SocketException or ArgumentException)
        {
            // No address: said by the empty answer, which serves for a shorter time.
        }

        lock (_gate)
        {
            entry.Asking = null;
            entry.KeepUntil = BootClock.Now + (found.IsEmpty ? KeepFailureFor : KeepFor);
            entry.Addresses = found.IsEmpty ? entry.Addresses : found;
        }
    }

    private sealed class Entry
    {
        public Task? Asking { get; set; }

        public Instant KeepUntil { get; set; }

        public ImmutableArray<IPAddress> Addresses { get; set; } = [];
    }
}
