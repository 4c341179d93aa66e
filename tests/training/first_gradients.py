"""Writes the gradients of a run's first step: `python first_gradients.py FOLDER MICRO_BATCHES`, or by torchrun.

Discriminators do not learn here, so that the generator's gradients are those of the first step as well.
"""

import dataclasses
import sys
from pathlib import Path

from safetensors.torch import save_file

from vidgan.training.options import preset
from vidgan.training.recipes import RECIPES
from vidgan.training.trainer import Trainer


def main(folder: Path, micro_batches: int) -> None:
    options = preset("g3an", "smoke", RECIPES)
    options = dataclasses.replace(
        options,
        model=dataclasses.replace(options.model, width=2),
        recipe=dataclasses.replace(options.recipe, lr_discriminator=0.0),
        run=folder,
        batch=4 * micro_batches,
        micro_batches=micro_batches,
        device="cpu",
        threads=1,
    )
    trainer = Trainer(options)
    trainer.train_step()
    if trainer.accelerator.is_main_process:
        save_file(
            {
                f"{network}.{name}": parameter.grad.contiguous()
                for network, module in trainer.networks.plain.items()
                for name, parameter in module.named_parameters()
                if parameter.grad is not None
            },
            folder / "grads.safetensors",
        )
    trainer.accelerator.wait_for_everyone()
    trainer.close()
    trainer.accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
