"""A device that is polled over Modbus TCP: `python -m tests.modbus_device PORT WH`.

It counts 250 Wh with each read, and shows that in the ways of three makers: as a float in kWh, as
hundredths of a kWh in four registers, and by SunSpec.
"""

import asyncio
import struct
import sys
from collections.abc import Sequence

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

#: Where each way has its registers.
FLOAT, HUNDREDTHS, SUNSPEC = 0x0048, 0x5000, 40_000


class Device:
    """A device that counts when it is read."""

    def __init__(self, watt_hours: int) -> None:
        self.watt_hours = watt_hours

    async def read(  # noqa: D102 - the signature is the library's
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        self.watt_hours += 250
        for place, words in self.shown():
            if address <= place < address + count:
                registers[place - start : place - start + len(words)] = words
        return None

    def shown(self) -> Sequence[tuple[int, list[int]]]:
        """Return what it shows, by the address."""
        meter = SUNSPEC + 2
        return (
            (FLOAT, words(">f", self.watt_hours / 1000)),
            (HUNDREDTHS, words(">Q", self.watt_hours // 10)),
            # A meter of three phases: model 203 with tens of Wh, from what came (46).
            (meter + 46, words(">I", self.watt_hours // 10)),
        )


def words(format_: str, value: float) -> list[int]:
    """Return a number in registers."""
    packed = struct.pack(format_, value)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def registers() -> list[SimData]:
    """Return the registers that there are, most of them 0."""
    model = [0] * 107
    model[:2], model[54] = [203, 105], 1  # tens of Wh
    described = [0x5375, 0x6E53, *model, 0xFFFF, 0]
    return [
        SimData(FLOAT, values=[0] * 4, datatype=DataType.REGISTERS),
        SimData(HUNDREDTHS, values=[0] * 4 + [0xFFFF] * 4, datatype=DataType.REGISTERS),
        SimData(SUNSPEC, values=described, datatype=DataType.REGISTERS),
    ]


async def main(port: int, watt_hours: int) -> None:
    """Serve until the process is ended."""
    device = SimDevice(1, simdata=registers(), action=Device(watt_hours).read)
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
