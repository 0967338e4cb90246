using System.Net;
using System.Net.Sockets;

namespace Harepd.Lab.Machine;

/// <summary>
/// A block of loopback addresses 127.50.N.1 to 127.50.N.250 that belongs to one lab alone, so that its servers can use real-looking ports.
/// Held by a socket bound within the block: the kernel gives it back when the process ends, however it ends.
/// </summary>
public sealed class AddressBlock : IDisposable
{
    private const int ClaimHost = 254;
    private const int ClaimPort = 10999;
    private const int Blocks = 250;

    private readonly Socket claim;

    private AddressBlock(Socket claim, int number)
    {
        this.claim = claim;
        Number = number;
    }

    /// <summary>1 to 250; the third byte of each address.</summary>
    public int Number { get; }

    /// <summary>The address of one host of the block.</summary>
    public string this[int host] => $"127.50.{Number}.{host}";

    /// <summary>Takes a free block.</summary>
    /// <exception cref="LabException">All are taken.</exception>
    public static AddressBlock Claim()
    {
        // Begins at another block in each process, so that leftovers of a run that was killed are not met at once.
        var first = Environment.ProcessId % Blocks;
        for (var i = 0; i < Blocks; i++)
        {
            var number = ((first + i) % Blocks) + 1;
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Parse($"127.50.{number}.{ClaimHost}"), ClaimPort));
                socket.Listen(1);
                return new AddressBlock(socket, number);
            }
            catch (SocketException)
            {
                socket.Dispose();
            }
        }

        throw new LabException($"no free loopback block 127.50.1-{Blocks}.x");
    }

    public void Dispose() => claim.Dispose();
}
