<?php

// Made by `mainstay types` from the schema; made anew when the schema changes.

declare(strict_types=1);

namespace Database;

/** * / ? > <% " ''' ⧵ ${x} #{y} */
final readonly class MyOrders
{
    public function __construct(
        public int $class,
        public ?string $first_word,
        public ?string $first_word2,
        public float $gr__e,
        public mixed $self,
        public array $def,
        public string $record,
        public ?string $ISBN_,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            class: $row['class'],
            first_word: $row['first word'],
            first_word2: $row['first_word'],
            gr__e: (float) $row['größe'],
            self: $row['self'],
            def: $row['def'],
            record: $row['record'],
            ISBN_: $row['ISBN$'],
        );
    }
}

/** A new row of `my orders`. */
final readonly class MyOrdersInsert
{
    public function __construct(
        public int $class,
        public float $gr__e,
        public mixed $self,
        public array $def,
        public ?string $first_word = null,
        public ?string $first_word2 = null,
        public ?string $record = null,
        public ?string $ISBN_ = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'class' => $this->class,
            'größe' => $this->gr__e,
            'self' => $this->self,
            'def' => $this->def,
            'first word' => $this->first_word,
            'first_word' => $this->first_word2,
            'record' => $this->record,
            'ISBN$' => $this->ISBN_,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** A row of `my_orders`. */
final readonly class MyOrders2
{
    public function __construct(
        public int $id,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            id: $row['id'],
        );
    }
}

/** A new row of `my_orders`. */
final readonly class MyOrders2Insert
{
    public function __construct(
        public int $id,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'id' => $this->id,
        ], fn (mixed $value): bool => $value !== null);
    }
}

/** A row of `class`. */
final readonly class ClassRow
{
    public function __construct(
        public string $id,
        public ?int $type,
    ) {
    }

    public static function fromArray(array $row): self
    {
        return new self(
            id: $row['id'],
            type: $row['type'],
        );
    }
}

/** A new row of `class`. */
final readonly class ClassRowInsert
{
    public function __construct(
        public string $id,
        public ?int $type = null,
    ) {
    }

    /** What to send: without what was left out. */
    public function toArray(): array
    {
        return array_filter([
            'id' => $this->id,
            'type' => $this->type,
        ], fn (mixed $value): bool => $value !== null);
    }
}
