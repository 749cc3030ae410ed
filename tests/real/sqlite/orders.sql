-- A thousand orders: inserted one by one by a recursive query, indexed, joined, grouped, sorted.
create table customer(id integer primary key, name text, city text);
insert into customer values
  (1, 'Ada', 'London'), (2, 'Blaise', 'Paris'), (3, 'Carl', 'Brunswick'), (4, 'Daniel', 'Basel'),
  (5, 'Emmy', 'Erlangen'), (6, 'Felix', 'Leipzig'), (7, 'Grace', 'New York');
create table orders(id integer primary key, customer integer, item text, cents integer);
insert into orders
  with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000)
  select i, i * i % 7 + 1, 'item ' || (i * 37 % 100), i * 7919 % 10007 from n;
create index by_item on orders(item);
select count(*), sum(cents), min(cents), max(cents) from orders;
select c.name, count(*) as orders, sum(o.cents) as total
  from orders o join customer c on c.id = o.customer
  group by c.id order by total desc, c.id;
select id, cents from orders where item = 'item 42' order by cents limit 5;
